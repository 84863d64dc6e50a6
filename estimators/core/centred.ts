import { type Backend, EMPTY, MASKED } from "../../kernels/backend.ts";
import { scatteredPlaces } from "../linear_algebra/scattered_places.ts";
import type { Problem } from "./problem.ts";

/** A problem whose attention is that of another one, without what its keys and its queries have in common. */
export interface CentredProblem {
  /** Keys moved by a vector: every row of logits by a constant, which softmax does not see. */
  readonly problem: Problem;
  /** Queries moved as well, their common part in `logWeights`: for exact attention, which takes those. */
  readonly exact: Problem;
  /** Puts back into log-sum-exps [heads, queries] of `exact` what centring took off the logits. */
  readonly lift: (logSumExp: Float32Array) => Float32Array;
}

/** Rows of a head that are looked at for its centre: any will do, since softmax is invariant under every shift. */
const SAMPLE = 32;
/**
 * Rows are moved when their centre is farther from 0 than this many times their root mean square distance from it:
 * below, a product would lose at most √5 times as much as after centring.
 */
const FAR_OUT = 2;
/** Fewer queries than these do not repay the float64 products of their centre with all keys. */
const FEWEST_QUERIES = 32;

/**
 * Takes off keys and queries what is common to those of a head, where it is large enough to cost digits: a product in f32
 * errs in proportion to Σ|q_c||k_c|, while attention depends on what keys differ in.
 *
 * With c near the mean key, ⟨q, k⟩ = ⟨q, k − c⟩ + ⟨q, c⟩, and the last term is the same for all keys. With m near the
 * mean query, ⟨q, k − c⟩ = ⟨q − m, k − c⟩ + ⟨m, k − c⟩. The last term is the same for all queries; it is computed in
 * float64 from the keys as given and added to the logits less its largest value, so that it is small, and precise, for
 * the keys that count. What is near and far is told by {@link SAMPLE} rows, which take no time.
 */
export function centre(backend: Backend, problem: Problem): CentredProblem {
  // Float64 has digits to spare, and half floats are to stay what they were given as.
  if (backend.kind === "reference" || problem.halves) {
    return {
      problem,
      exact: problem,
      lift: (sums) => sums,
    };
  }
  const { heads, queries, keys, features } = problem;
  const visible = problem.logWeights;
  const keyCentres = findCentres(problem.key, heads, keys, features, visible);
  const centred = keyCentres ? moveKeys(problem, keyCentres) : problem;
  const queryCentres = queries >= FEWEST_QUERIES
    ? findCentres(problem.query, heads, queries, features)
    : undefined;
  if (!queryCentres) {
    return { problem: centred, exact: centred, lift: (sums) => lift(problem, sums, keyCentres) };
  }
  const { logWeights, largest } = sharedLogits(problem, queryCentres, keyCentres);
  const query = moveRows(problem.query, queries, features, queryCentres);
  return {
    problem: centred,
    exact: { ...centred, query, logWeights, queryCentre: queryCentres },
    lift: (sums) => lift(problem, sums, keyCentres, largest),
  };
}

/**
 * [heads, width]: centres of the heads whose rows lie far out, 0 for others; undefined if there is none. In f32, so that
 * taking a centre off a row near it is exact (Sterbenz).
 */
function findCentres(
  rows: Float32Array,
  heads: number,
  count: number,
  width: number,
  visible?: Float32Array,
): Float64Array | undefined {
  let centres: Float64Array | undefined;
  const mean = new Float64Array(width);
  for (let head = 0; head < heads; head++) {
    const sampled = sampleRows(head, count, visible);
    mean.fill(0);
    let squares = 0, farOut = 0;
    for (const row of sampled) {
      for (let c = 0, at = row * width; c < width; c++, at++) {
        const x = rows[at];
        mean[c] += x;
        squares += x * x;
      }
    }
    for (let c = 0; c < width; c++) farOut += (mean[c] /= sampled.length) ** 2;
    // Float64 leaves enough of the difference to tell far from near.
    const scatter = squares - sampled.length * farOut;
    if (!(farOut > FAR_OUT ** 2 * scatter / sampled.length)) continue;
    centres ??= new Float64Array(heads * width);
    for (let c = 0; c < width; c++) centres[head * width + c] = Math.fround(mean[c]);
  }
  return centres;
}

/** Some rows of a head, counted through all heads, of those that are visible. */
function sampleRows(head: number, count: number, visible?: Float32Array): Uint32Array {
  const first = head * count;
  if (!visible) return scatteredPlaces(count, SAMPLE).map((row) => first + row);
  const left: number[] = [];
  for (let j = 0; j < count; j++) if (visible[first + j] > MASKED) left.push(j);
  return scatteredPlaces(left.length, SAMPLE).map((place) => first + left[place]);
}

function moveKeys(problem: Problem, centres: Float64Array): Problem {
  const key = moveRows(problem.key, problem.keys, problem.features, centres);
  let largestKey = 0;
  for (let at = 0; at < key.length; at++) largestKey = Math.max(largestKey, Math.abs(key[at]));
  return { ...problem, key, largestKey };
}

/** Rows less the centre of their head: computed in float64, rounded once. */
function moveRows(rows: Float32Array, count: number, width: number, centres: Float64Array): Float32Array {
  const moved = new Float32Array(rows.length);
  for (let row = 0, at = 0; at < rows.length; row++) {
    const centre = Math.floor(row / count) * width;
    for (let c = 0; c < width; c++, at++) moved[at] = rows[at] - centres[centre + c];
  }
  return moved;
}

/** scale · ⟨m, k − c⟩ for all visible keys, less the largest of them. */
function sharedLogits(
  { heads, keys, features, key, scale, logWeights: mask }: Problem,
  queryCentres: Float64Array,
  keyCentres: Float64Array = new Float64Array(queryCentres.length),
): { logWeights: Float32Array; largest: Float64Array } {
  const logWeights = new Float32Array(heads * keys), largest = new Float64Array(heads);
  const logits = new Float64Array(keys);
  for (let head = 0; head < heads; head++) {
    let most = -Infinity;
    for (let j = 0; j < keys; j++) {
      const row = (head * keys + j) * features;
      let product = 0;
      for (let t = 0, at = head * features; t < features; t++, at++) {
        product += queryCentres[at] * (key[row + t] - keyCentres[at]);
      }
      logits[j] = scale * product;
      if (!(mask && mask[head * keys + j] <= MASKED)) most = Math.max(most, logits[j]);
    }
    largest[head] = most;
    for (let j = 0; j < keys; j++) {
      const hidden = mask && mask[head * keys + j] <= MASKED;
      logWeights[head * keys + j] = hidden ? EMPTY : logits[j] - most;
    }
  }
  return { logWeights, largest };
}

/** Adds scale · ⟨q, c⟩ and what was taken off the shared logits. */
function lift(
  { queries, features, query, scale }: Problem,
  logSumExp: Float32Array,
  keyCentres?: Float64Array,
  largest?: Float64Array,
): Float32Array {
  if (!keyCentres && !largest) return logSumExp;
  return logSumExp.map((sum, row) => {
    if (sum <= MASKED) return sum;
    const head = Math.floor(row / queries);
    let product = 0;
    for (let t = 0; keyCentres && t < features; t++) {
      product += query[row * features + t] * keyCentres[head * features + t];
    }
    return sum + scale * product + (largest?.[head] ?? 0);
  });
}
