import type { Backend } from "../../../../kernels/backend.ts";
import { Purpose, RandomStream } from "../../../../kernels/random.ts";
import type { Progress } from "../../../core/head_chunks.ts";
import type { Problem } from "../../../core/problem.ts";
import { pickRows } from "../../../linear_algebra/pick_rows.ts";
import { type Budget, type CostedAttention, type Method, perQuery } from "../../method.ts";
import { attendExactly } from "../../run_heads.ts";
import { attendSigned } from "../shared/attend_signed.ts";
import { eachHead, type Head } from "../shared/each_head.ts";
import { squaredNorms } from "../shared/row_norms.ts";
import { kernelFactor, type TemperatureRule } from "./temperature.ts";
import { weighPivots } from "./weighted_pivots.ts";

/** How pivots are chosen. */
export interface Compression {
  /** Pivots of all bins. */
  readonly pivots: number;
  /** Stretches of neighbouring keys, each with pivots of its own. */
  readonly bins: number;
  readonly rule: TemperatureRule;
}

/** Bins of the authors' image models: a pivot is compared with the keys of its bin alone, so that there is enough for more of them. */
const BINS = 8;

/**
 * WildCat of Schröder and Mackey, "WildCat: Near-Linear Attention in Theory and Practice" (2026): pivots among the keys by randomly pivoted Cholesky, and
 * Nyström weights by which they stand for all keys, in numerator and denominator. Weights may be negative, so that outputs are clipped to the
 * range of the values.
 *
 * A pivot costs a kernel with each key of its bin, which are counted; solving for the weights is not, as nowhere for others' methods.
 */
export const wildcat: Method = {
  summary: "pivots of the keys with weights that write all other keys by them: where logits are of low rank",
  source: "Schröder and Mackey 2026, with bins and the constant temperature",
  promise: "an error of order n^(−√ln ln n) in time n^(1+o(1)), for bounded inputs",
  random: true,
  withinBudget: true,
  onHost: "the choice of pivots and their weights",
  refusal: (problem, budget) => {
    if (planPivots(problem, budget) || perQuery(budget) >= problem.keys) return undefined;
    const least = Math.ceil(problem.keys / problem.queries) + 1;
    return `wildcat takes a budget of at least ${least} for ${problem.queries} queries and ${problem.keys} keys: ` +
      `current value is ${perQuery(budget)}`;
  },
  attend,
};

async function attend(
  backend: Backend,
  problem: Problem,
  budget: Budget,
  progress: Progress = {},
): Promise<CostedAttention> {
  const compression = planPivots(problem, budget);
  if (compression) return await attendPivots(backend, problem, budget, compression, progress);
  return await attendExactly(backend, problem, progress, "exact: too few queries for one pivot");
}

/** Pivots that the budget is enough for, each compared with the keys of its bin and with all queries; undefined for none. */
function planPivots({ queries, keys }: Problem, budget: Budget): Compression | undefined {
  const most = queries * perQuery(budget), rule = "constant";
  for (let bins = Math.min(BINS, keys); bins >= 1; bins--) {
    const pivots = Math.floor(most / (queries + Math.ceil(keys / bins)));
    if (pivots >= bins) return { pivots, bins, rule };
  }
  return undefined;
}

/**
 * WildCat with any compression.
 *
 * @throws {RangeError} If the problem hides keys.
 */
export async function attendPivots(
  backend: Backend,
  problem: Problem,
  budget: Budget,
  compression: Compression,
  progress: Progress = {},
): Promise<CostedAttention> {
  return await eachHead("wildcat", backend, problem, budget, progress, async (head) => {
    const random = new RandomStream(budget.seed, Purpose.coreset, head.at);
    const { kept, products } = compress(problem, head, compression, random);
    const result = await attendSigned(backend, problem, head.query, kept, head.value, progress.signal);
    return { ...result, keyEvaluations: problem.queries * kept.mass.length + products };
  });
}

/** The pivots of all bins, and kernels that were computed for them. */
function compress(
  { keys, features, valueFeatures, scale }: Problem,
  { query, key, value }: Head,
  { pivots, bins, rule }: Compression,
  random: RandomStream,
) {
  const centred = centreKeys(key, features), squares = squaredNorms(centred, features);
  const largestQuery = largestRoot(squaredNorms(query, features));
  const rows: number[] = [], logWeights: number[] = [], mass: number[] = [], values: number[] = [];
  let products = 0;
  for (let bin = 0; bin < bins; bin++) {
    const [first, end] = [bin, bin + 1].map((cut) => Math.floor(cut * keys / bins));
    const most = Math.floor((bin + 1) * pivots / bins) - Math.floor(bin * pivots / bins);
    const own = squares.subarray(first, end), largestKey = largestRoot(own);
    const sizes = { keys: end - first, query: largestQuery, key: largestKey, scale: Math.abs(scale) };
    const found = weighPivots(
      centred.subarray(first * features, end * features),
      value.subarray(first * valueFeatures, end * valueFeatures),
      own,
      kernelFactor(rule, sizes),
      Math.min(most, end - first),
      random,
    );
    rows.push(...found.places.map((place) => first + place));
    logWeights.push(...found.logWeights);
    mass.push(...found.mass);
    values.push(...found.value);
    products += found.places.length * (end - first);
  }
  const kept = {
    key: pickRows(key, features, rows),
    value: Float32Array.from(values),
    logWeights: Float32Array.from(logWeights),
    mass: Float32Array.from(mass),
  };
  return { kept, products };
}

/** Rows less their mean, in float64. */
function centreKeys(rows: Float32Array, width: number): Float64Array {
  const mean = new Float64Array(width), count = rows.length / width;
  for (let at = 0; at < rows.length; at++) mean[at % width] += rows[at] / count;
  return Float64Array.from(rows, (x, at) => x - mean[at % width]);
}

function largestRoot(squares: Float64Array): number {
  let largest = 0;
  for (const square of squares) largest = Math.max(largest, square);
  return Math.sqrt(largest);
}
