import type { Backend } from "../../../../kernels/backend.ts";
import { deviceProducts, type HostRows } from "./device_products.ts";

/**
 * Logits of queries with all keys, in float64 from the device's products: what looks at every key has them.
 *
 * @param width Features of a row.
 * @yields The first query of a stretch, how many it has, and their logits, of which the next one overwrites the last.
 */
export async function* logitRows(
  backend: Backend,
  queries: HostRows,
  keys: HostRows,
  width: number,
  scale: number,
  signal?: AbortSignal,
): AsyncGenerator<
  { readonly first: number; readonly rows: number; readonly logitsOf: (i: number) => Float64Array }
> {
  const logits = new Float64Array(keys.count);
  for await (const { first, products } of deviceProducts(backend, queries, keys, width, signal)) {
    const logitsOf = (i: number) => {
      const from = i * keys.count;
      for (let j = 0; j < logits.length; j++) logits[j] = scale * products[from + j];
      return logits;
    };
    yield { first, rows: products.length / keys.count, logitsOf };
  }
}
