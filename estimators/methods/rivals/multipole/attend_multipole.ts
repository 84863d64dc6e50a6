import type { Backend } from "../../../../kernels/backend.ts";
import { Purpose, RandomStream } from "../../../../kernels/random.ts";
import type { Problem } from "../../../core/problem.ts";
import { attendChosen } from "../shared/attend_chosen.ts";
import { deviceProducts } from "../shared/device_products.ts";
import type { CostedHead, Head } from "../shared/each_head.ts";
import { eachRow } from "../shared/each_row.ts";
import { type Clusters, kMeans, type KMeansPlan, productsOfKMeans } from "../shared/k_means.ts";
import { openClusters, type OpeningRule } from "./open_clusters.ts";

/** How one head is answered. */
export interface MultipoleOptions extends KMeansPlan, OpeningRule {
  /** Whether the mean of a cluster that is not opened stands for its keys; else they are left out. */
  readonly replaced: boolean;
}

/**
 * Attention of each query to the keys of its heaviest clusters, and to the others' means, each as often as it has keys. A query that sees
 * nothing, which happens without the means alone, gets the mean value.
 */
export async function attendMultipole(
  backend: Backend,
  { at, query, key, value }: Head,
  { queries, keys, features, valueFeatures, scale }: Problem,
  options: MultipoleOptions,
  seed: number,
  signal?: AbortSignal,
): Promise<CostedHead> {
  const random = new RandomStream(seed, Purpose.choice, at);
  const found = await kMeans(backend, { data: key, count: keys }, features, options, random, signal);
  const { order, sizes, means } = found, clusters = sizes.length, first = new Uint32Array(clusters);
  for (let s = 1; s < clusters; s++) first[s] = first[s - 1] + sizes[s - 1];
  // The means of values come behind the values, as points of their own.
  const points = withMeans(value, found, valueFeatures);
  const index = new Uint32Array(keys + clusters), logits = new Float64Array(keys + clusters);
  const logWeights = new Float64Array(keys + clusters), ofCentres = new Float64Array(clusters);
  const output = new Float32Array(queries * valueFeatures), logSumExp = new Float32Array(queries);
  let opened = 0;
  const rows = { data: query, count: queries }, centres = { data: means, count: clusters };
  for await (const { first: from, products } of deviceProducts(backend, rows, centres, features, signal)) {
    await eachRow(products.length / clusters, signal, (i) => {
      const row = from + i;
      for (let s = 0; s < clusters; s++) ofCentres[s] = scale * products[i * clusters + s];
      const seen = new Uint8Array(clusters);
      let count = 0;
      for (const s of openClusters(ofCentres, sizes, options)) {
        seen[s] = 1;
        for (let place = first[s]; place < first[s] + sizes[s]; place++, count++) {
          index[count] = order[place];
          logits[count] = scale * innerProduct(query, row * features, key, order[place] * features, features);
          logWeights[count] = 0;
        }
      }
      opened += count;
      for (let s = 0; s < clusters && options.replaced; s++) {
        if (seen[s] || sizes[s] === 0) continue;
        index[count] = keys + s;
        logits[count] = ofCentres[s];
        logWeights[count++] = Math.log(sizes[s]);
      }
      const own = output.subarray(row * valueFeatures, (row + 1) * valueFeatures);
      if (count === 0) own.set(points.subarray((keys + clusters) * valueFeatures));
      logSumExp[row] = attendChosen({ count, index, logits, logWeights }, points, own);
    });
  }
  const keyEvaluations = productsOfKMeans(keys, options) + queries * clusters + opened;
  return { output, logSumExp, keyEvaluations };
}

/** Values, behind them their means over clusters, and the mean of all. */
function withMeans(value: Float32Array, { labels, sizes }: Clusters, width: number): Float32Array {
  const keys = labels.length, clusters = sizes.length, sums = new Float64Array((clusters + 1) * width);
  labels.forEach((label, row) => {
    for (let c = 0; c < width; c++) {
      sums[label * width + c] += value[row * width + c] / sizes[label];
      sums[clusters * width + c] += value[row * width + c] / keys;
    }
  });
  const points = new Float32Array(value.length + sums.length);
  points.set(value);
  points.set(sums, value.length);
  return points;
}

function innerProduct(a: Float32Array, atA: number, b: Float32Array, atB: number, width: number): number {
  let sum = 0;
  for (let c = 0; c < width; c++) sum += a[atA + c] * b[atB + c];
  return sum;
}
