import { Purpose, RandomStream } from "../../kernels/random.ts";
import type { Tensor } from "../../kernels/tensor.ts";
import { independentNormals, STREAMS } from "./gaussian.ts";
import { normalValues } from "./normal_values.ts";
import type { CheckedOptions, Workload } from "./workload.ts";

const FEATURES = 64;
const CLUSTERS = 64;
/**
 * Share of the variance that lies between clusters. Logits inside a cluster are then about 0.9 · 64 / √64 = 7.2
 * and the others about 0, so that a query's own cluster, 1/64 of the keys, gets some 95 % of its weight.
 */
const BETWEEN = 0.9;

/**
 * Queries and keys around 64 common centres, values around centres of their own: what locality-sensitive
 * hashing is made for. Every coordinate has variance 1, as in the gaussian workload.
 */
export function clustered(name: string, { n = 4096, batch, seed }: CheckedOptions): Workload {
  const normals = independentNormals({
    seed,
    batch,
    queries: n,
    keys: n,
    features: FEATURES,
    valueFeatures: FEATURES,
  });
  for (let b = 0; b < batch; b++) {
    const stream = STREAMS * b;
    const centres = normalValues(CLUSTERS * FEATURES, { seed, stream: stream + 3 });
    const valueCentres = normalValues(CLUSTERS * FEATURES, { seed, stream: stream + 4 });
    const queryClusters = clusters(n, seed, stream + 5), keyClusters = clusters(n, seed, stream + 6);
    pull(normals.query, b, centres, queryClusters);
    pull(normals.key, b, centres, keyClusters);
    pull(normals.value, b, valueCentres, keyClusters);
  }
  return {
    name,
    ...normals,
    scale: 1 / Math.sqrt(FEATURES),
    description: `${CLUSTERS} clusters common to queries and keys, ${n} × ${FEATURES}`,
  };
}

function clusters(count: number, seed: number, stream: number): Uint8Array {
  const random = new RandomStream(seed, Purpose.data, stream);
  return Uint8Array.from({ length: count }, () => random.integer(CLUSTERS));
}

/** Turns the noise of draw b into points around the centres of their clusters. */
function pull({ data, shape }: Tensor, b: number, centres: Float32Array, cluster: Uint8Array): void {
  const [, rows, columns] = shape;
  for (let i = 0; i < rows; i++) {
    const row = (b * rows + i) * columns, centre = cluster[i] * columns;
    for (let c = 0; c < columns; c++) {
      data[row + c] = Math.sqrt(BETWEEN) * centres[centre + c] + Math.sqrt(1 - BETWEEN) * data[row + c];
    }
  }
}
