import { Purpose, RandomStream } from "../../kernels/random.ts";
import { tensor } from "../../kernels/tensor.ts";
import type { AttentionInput, InputOptions } from "./family.ts";

const PLACES = 4;
/** Logit of a key at the place of the query; others have 0. */
const LOGIT = 20;

/**
 * Queries and keys at four places, each as often: a row of the softmax matrix is even on a quarter of the keys and 0 on the others. No rows have
 * sums of which a sample tells less, at that density.
 */
export function fourPlaces(
  { n, queries = n, features = 64, valueFeatures = features, seed }: InputOptions,
): AttentionInput {
  const random = new RandomStream(seed, Purpose.data);
  const rows = (count: number) => {
    const order = random.distinct(count, count), data = new Float32Array(count * features);
    for (let row = 0; row < count; row++) data[row * features + order[row] % PLACES] = Math.sqrt(LOGIT);
    return tensor(data, [1, count, features]);
  };
  const value = Float32Array.from({ length: n * valueFeatures }, () => random.normal());
  return { query: rows(queries), key: rows(n), value: tensor(value, [1, n, valueFeatures]), scale: 1 };
}
