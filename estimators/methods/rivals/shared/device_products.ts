import type { Backend } from "../../../../kernels/backend.ts";

/** Products of one call at most: 16 MB of them. */
const MOST_PRODUCTS = 2 ** 22;

/** Rows [count, width] on the host. */
export interface HostRows {
  readonly data: Float32Array;
  readonly count: number;
}

/**
 * Inner products of rows with other rows, on the device, a few rows at a time: what methods do that a paper describes as dense matrix
 * products and our primitives do not cover as a whole.
 *
 * @yields The first row of a stretch and its products, [rows of the stretch, directions.count].
 */
export async function* deviceProducts(
  backend: Backend,
  rows: HostRows,
  directions: HostRows,
  width: number,
  signal?: AbortSignal,
): AsyncGenerator<{ readonly first: number; readonly products: Float32Array }> {
  const most = Math.max(1, Math.floor(MOST_PRODUCTS / directions.count));
  for (let first = 0; first < rows.count; first += most) {
    const count = Math.min(most, rows.count - first);
    const products = backend.innerProducts({
      rows: backend.upload(rows.data.subarray(first * width, (first + count) * width)),
      directions: backend.upload(directions.data),
      ...{ heads: 1, count, width, projections: directions.count },
    });
    const [found] = await backend.run([products], signal);
    backend.reset();
    yield { first, products: found as Float32Array };
  }
}
