import type { Problem } from "../../../core/problem.ts";
import { Purpose, RandomStream } from "../../../../kernels/random.ts";
import { attendChosen } from "../shared/attend_chosen.ts";
import { eachRow } from "../shared/each_row.ts";
import type { CostedHead, Head } from "../shared/each_head.ts";
import { LogChances, type TableShape } from "./chance.ts";
import type { Geometry } from "./geometry.ts";
import type { Tables } from "./tables.ts";

/** Which keys count without being found, and how many of the others are looked at. */
export interface FoundOptions {
  /** Keys at the start that every query sees. */
  readonly sinks: number;
  /** Keys at the end that every query sees. */
  readonly recent: number;
  /** Found keys that all queries together may look at; all if left out. */
  readonly most?: number;
  /** Added to chances, as the authors' code does; 0 if left out. */
  readonly added?: number;
}

/**
 * Softmax over the keys that queries find, each with the weight 1/u of its chance u to be found, and those that every query sees: the sums
 * Σ e^⟨q, k⟩ (v, 1) are unbiased. Where more keys are found than may be looked at, queries that found most look at some of theirs, drawn
 * evenly, each for as many as it stands for.
 */
export async function attendFound(
  { features, valueFeatures, scale }: Pick<Problem, "features" | "valueFeatures" | "scale">,
  { at: head, query, value }: Head,
  { centred, mean, cosine }: Geometry,
  tables: Tables,
  shape: TableShape,
  { sinks, recent, most, added = 0 }: FoundOptions,
  seed: number,
  signal?: AbortSignal,
): Promise<CostedHead> {
  const keys = centred.length / features, queries = query.length / features, sign = scale < 0 ? -1 : 1;
  const others = [Math.min(sinks, keys), Math.max(Math.min(sinks, keys), keys - recent)] as const;
  const output = new Float32Array(queries * valueFeatures), logSumExp = new Float32Array(queries);
  const found = new Uint32Array(keys), index = new Uint32Array(keys);
  const logits = new Float64Array(keys), logWeights = new Float64Array(keys);
  let limit = keys, keyEvaluations = 0;
  if (most !== undefined) {
    const counts = new Uint32Array(queries);
    await eachRow(queries, signal, (row) => counts[row] = tables.find(row, others, found));
    limit = limitOf(counts, most);
  }
  const draws = new RandomStream(seed, Purpose.samples, head), exact = others[0] + keys - others[1];
  for (let at = 0; at < exact; at++) index[at] = at < others[0] ? at : others[1] + at - others[0];
  const chances = new LogChances(shape);
  await eachRow(queries, signal, (row) => {
    const all = tables.find(row, others, found), kept = Math.min(all, limit), logShare = Math.log(all / kept);
    const places = kept < all ? draws.distinct(kept, all) : undefined, count = exact + kept;
    for (let at = 0; at < kept; at++) index[exact + at] = found[places ? places[at] : at];
    productsOf(query, row, centred, index, count, features, logits);
    const ofMean = scale * productOf(query, row, mean, features);
    for (let at = exact; at < count; at++) {
      const chance = chances.at(cosine(row, index[at], sign * logits[at]));
      logWeights[at] = logShare - (added > 0 ? Math.log(Math.exp(chance) + added) : chance);
    }
    for (let at = 0; at < count; at++) logits[at] = scale * logits[at] + ofMean;
    keyEvaluations += count;
    const into = output.subarray(row * valueFeatures, (row + 1) * valueFeatures);
    logSumExp[row] = attendChosen({ count, index, logits, logWeights }, value, into);
  });
  return { output, logSumExp, keyEvaluations };
}

/** Products of a query with the keys at so many places. */
function productsOf(
  query: Float32Array,
  row: number,
  key: Float32Array,
  index: Uint32Array,
  count: number,
  width: number,
  products: Float64Array,
): void {
  for (let at = 0; at < count; at++) {
    let product = 0;
    for (let c = 0, own = row * width, from = index[at] * width; c < width; c++) {
      product += query[own + c] * key[from + c];
    }
    products[at] = product;
  }
}

/** Product of a query with one vector. */
function productOf(query: Float32Array, row: number, vector: Float64Array, width: number): number {
  let product = 0;
  for (let c = 0; c < width; c++) product += query[row * width + c] * vector[c];
  return product;
}

/** The largest number of keys for each query so that all queries together look at no more than so many. */
export function limitOf(counts: Uint32Array, most: number): number {
  let low = 0, high = counts.reduce((a, b) => Math.max(a, b), 0);
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    let sum = 0;
    for (const count of counts) sum += Math.min(count, middle);
    if (sum <= most) low = middle;
    else high = middle - 1;
  }
  return low;
}
