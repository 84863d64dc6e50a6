import type { AttentionInput, InputOptions } from "../inputs/family.ts";
import { InputDraw, Stream } from "../inputs/input_draw.ts";
import { addToRow, unitVector } from "../inputs/vectors.ts";

/** What a gene from 0 to 1 stands for: the mechanisms of the adversarial families, in any mixture and strength. */
const GENES = {
  /** Deviation of the logits, 0.05 to 10. */
  logitSpread: (x: number) => 0.05 * 200 ** x,
  /** Logit that heavy keys have for every query, 0 to 14. */
  sinkLogit: (x: number) => 14 * x,
  sinks: (x: number) => Math.round(32 ** x),
  /** Factor on the values of heavy keys, 1/100 to 100. */
  sinkValue: (x: number) => 100 ** (2 * x - 1),
  clusters: (x: number) => Math.round(64 ** x),
  /** Share of the variance of queries and keys that lies between clusters. */
  tightness: (x: number) => 0.99 * x,
  /** Logit of a key of each query's own, 0 to 14. */
  needleLogit: (x: number) => 14 * x,
  /** Exponent of the tails of key lengths, and of value lengths. */
  keyTail: (x: number) => 0.6 * x,
  valueTail: (x: number) => 1.5 * x,
  /** Share of the values that is that of their key's cluster. */
  valueOfCluster: (x: number) => x,
  /** Common part of all values, in deviations. */
  valueOffset: (x: number) => 10 * x,
  /** Length of a vector added to all keys. */
  keyOffset: (x: number) => 30 * x,
} as const;

/** Names of the genes. */
export const geneNames: readonly GeneName[] = Object.keys(GENES) as GeneName[];
/** Name of a gene. */
export type GeneName = keyof typeof GENES;
/** A point of the search: a number from 0 to 1 for each gene. */
export type Genome = Readonly<Record<GeneName, number>>;

/** A genome in words. */
export function describeGenome(genome: Genome): string {
  return geneNames.map((name) => `${name} ${Number(GENES[name](genome[name]).toPrecision(2))}`).join(", ");
}

/** Attention inputs of a genome; the randomness that genes do not fix is that of the options' seed. */
export function genomeInput(genome: Genome, options: InputOptions): AttentionInput {
  const draw = new InputDraw("adversarial-search", options);
  const { queries, keys, features, valueFeatures, scale } = draw;
  const of = (name: GeneName) => GENES[name](genome[name]);
  const deviation = Math.sqrt(of("logitSpread")),
    clusters = of("clusters"),
    between = Math.sqrt(of("tightness"));
  const within = Math.sqrt(1 - between ** 2), centres = draw.normals(Stream.centres, clusters * features);
  const random = draw.random(Stream.order);
  const clustered = (rows: Float32Array, count: number, tail: number) => {
    const own = Uint32Array.from({ length: count }, () => random.integer(clusters));
    own.forEach((cluster, i) => {
      const length = deviation * random.uniform() ** -tail;
      for (let t = 0; t < features; t++) {
        rows[i * features + t] = length *
          (between * centres[cluster * features + t] + within * rows[i * features + t]);
      }
    });
    return own;
  };
  const query = draw.normalQueries(), key = draw.normalKeys(), value = draw.normalValues();
  clustered(query, queries, 0);
  const keyClusters = clustered(key, keys, of("keyTail"));

  const valueCentres = draw.normals(Stream.valueCentres, clusters * valueFeatures);
  const follow = of("valueOfCluster"), offset = of("valueOffset"), tail = of("valueTail");
  for (let j = 0; j < keys; j++) {
    const length = random.uniform() ** -tail;
    for (let c = 0; c < valueFeatures; c++) {
      const at = j * valueFeatures + c;
      value[at] = offset + length *
          (follow * valueCentres[keyClusters[j] * valueFeatures + c] + (1 - follow) * value[at]);
    }
  }

  // A needle is laid along the own key of a query, and shortened where that key is long already.
  const needle = of("needleLogit") / scale;
  for (let i = 0; i < queries; i++) {
    const own = key.subarray((i % keys) * features, (i % keys + 1) * features);
    const squared = own.reduce((sum, x) => sum + x * x, 0);
    addToRow(query, i, own, needle / Math.max(squared, 1));
  }

  const direction = unitVector(draw.normals(Stream.queryClusters, features));
  const sinkLength = Math.sqrt(of("sinkLogit") / scale), sinks = Math.min(keys, of("sinks"));
  for (let i = 0; i < queries; i++) addToRow(query, i, direction, sinkLength);
  for (const j of random.distinct(sinks, keys)) {
    addToRow(key, j, direction, sinkLength);
    for (let c = 0; c < valueFeatures; c++) value[j * valueFeatures + c] *= of("sinkValue");
  }
  const shift = unitVector(draw.normals(Stream.keyClusters, features));
  for (let j = 0; j < keys; j++) addToRow(key, j, shift, of("keyOffset"));
  return draw.input(query, key, value);
}
