import type { AttentionInput, InputFamily, InputOptions } from "./family.ts";
import { InputDraw, Stream } from "./input_draw.ts";

const CLUSTERS = 64;
/**
 * Share of the variance that lies between clusters. Logits inside a cluster are then about 0.9 · 64 / √64 = 7.2
 * and the others about 0, so that a query's own cluster, 1/64 of the keys, gets some 95 % of its weight.
 */
const BETWEEN = 0.9;

/** Queries and keys around common centres, values around centres of their own, all of variance 1. */
export const clustered: InputFamily = {
  name: "clustered",
  description:
    "64 clusters common to queries and keys: what locality-sensitive hashing is made for, so that blocks of one " +
    "bucket hold nearly all the weight and the guarantee holds at a small budget.",
  generate(options: InputOptions): AttentionInput {
    return evenClusters(new InputDraw("clustered", options));
  },
};

/** The clustered inputs of a draw, under whatever name and shape. */
export function evenClusters(draw: InputDraw): AttentionInput {
  const even = new Array<number>(CLUSTERS).fill(1 / CLUSTERS);
  return clusteredInput(draw, even, even);
}

const UNEVEN = 8;
const HALVING = Array.from({ length: UNEVEN }, (_, c) => 2 ** (UNEVEN - 1 - c) / (2 ** UNEVEN - 1));

/** Clusters that are popular with queries are rare among keys and the other way round. */
export const clusterImbalance: InputFamily = {
  name: "cluster-imbalance",
  description:
    "Eight clusters whose shares halve from one to the next among queries and double among keys: half of the queries " +
    "look to 1/255 of the keys, so blocks paired by rank misalign and the residual must carry the guarantee.",
  generate(options: InputOptions): AttentionInput {
    const draw = new InputDraw("cluster-imbalance", options);
    return clusteredInput(draw, HALVING, HALVING.toReversed());
  },
};

function clusteredInput(
  draw: InputDraw,
  queryShares: readonly number[],
  keyShares: readonly number[],
): AttentionInput {
  const { queries, keys, features } = draw;
  const query = draw.normalQueries(), key = draw.normalKeys();
  const centres = draw.normals(Stream.centres, queryShares.length * features);
  const queryClusters = drawClusters(draw, Stream.queryClusters, queries, queryShares);
  const keyClusters = drawClusters(draw, Stream.keyClusters, keys, keyShares);
  pullToCentres(query, features, centres, queryClusters);
  pullToCentres(key, features, centres, keyClusters);
  return draw.input(query, key, clusteredValues(draw, keyClusters, keyShares.length));
}

/** Values around a centre for each cluster of keys, so that outputs are as large as values. */
export function clusteredValues(draw: InputDraw, keyClusters: Uint8Array, clusters: number): Float32Array {
  const value = draw.normalValues();
  const centres = draw.normals(Stream.valueCentres, clusters * draw.valueFeatures);
  pullToCentres(value, draw.valueFeatures, centres, keyClusters);
  return value;
}

/** A cluster for each row, drawn with the shares as probabilities. */
export function drawClusters(
  draw: InputDraw,
  stream: Stream,
  count: number,
  shares: readonly number[],
): Uint8Array {
  const random = draw.random(stream);
  let total = 0;
  const ends = shares.map((share) => total += share);
  return Uint8Array.from({ length: count }, () => {
    const at = random.uniform() * total;
    return ends.findIndex((end) => at < end);
  });
}

/** Turns noise of variance 1 into points of variance 1 around the centres of their clusters. */
export function pullToCentres(
  rows: Float32Array,
  width: number,
  centres: Float32Array,
  clusters: Uint8Array,
): void {
  const between = Math.sqrt(BETWEEN), within = Math.sqrt(1 - BETWEEN);
  for (let i = 0; i < clusters.length; i++) {
    const row = i * width, centre = clusters[i] * width;
    for (let t = 0; t < width; t++) rows[row + t] = between * centres[centre + t] + within * rows[row + t];
  }
}
