import type { Backend } from "../../../kernels/backend.ts";
import { ofHead } from "../../core/of_head.ts";
import type { Problem } from "../../core/problem.ts";
import { cholesky } from "../../linear_algebra/cholesky.ts";
import { leadingSubspace, STEPS } from "../../linear_algebra/leading_subspace.ts";
import { rowProducts, transposed } from "../../linear_algebra/row_products.ts";
import { scatteredPlaces } from "../../linear_algebra/scattered_places.ts";
import type { HeadRun } from "../run_heads.ts";
import { type CanonicalDirections, mapsAlong, sampledOf } from "./canonical_directions.ts";
import { seenKeys } from "./causal_blocks.ts";
import { type LogitVariance, MOST_DIRECTIONS } from "./causal_plan.ts";

/** How the logits of one head vary, and along which directions most: see `canonicalDirections`. */
export interface HeadSpread extends LogitVariance {
  readonly features: number;
  /** L with L Lᵀ = Σ_k, the covariance of the keys: [features, features]. */
  readonly root: Float64Array;
  /** The square of Lᵀ Σ_q L, Σ_q the covariance of the queries, but for a factor: [features, features]. */
  readonly squared: Float64Array;
  /** Leading eigenvectors of both: [directions, features]. */
  readonly leading: Float64Array;
}

/** Heads that are looked at together. */
const TOGETHER = 16;

/** Looks at some rows of each head, and at no key that a mask hides; the keys must be in range. */
export async function measureSpreads(
  backend: Backend,
  problem: Problem,
  signal?: AbortSignal,
): Promise<HeadSpread[]> {
  const found: HeadSpread[] = [];
  for (let first = 0; first < problem.heads; first += TOGETHER) {
    const run = { first, count: Math.min(TOGETHER, problem.heads - first) };
    found.push(...await measureRun(backend, problem, run, signal));
    backend.reset();
  }
  return found;
}

/** Products of matrices take most of the time, and are the device's. */
async function measureRun(
  backend: Backend,
  problem: Problem,
  run: HeadRun,
  signal?: AbortSignal,
): Promise<HeadSpread[]> {
  const { features, scale } = problem, heads = run.count, { key, counts } = seenKeys(problem, run);
  const queries = sampleHeads(
    heads,
    features,
    (head) => ofHead(problem.query, run.first + head, problem.heads),
  );
  const keys = sampleHeads(
    heads,
    features,
    (head) => ofHead(key, head, heads).subarray(0, counts[head] * features),
  );
  const shape = { heads, count: features, projections: features };
  const [ofQueries, ofKeys] = [queries, keys].map(({ columns, taken }) => {
    const rows = backend.upload(columns);
    return backend.innerProducts({ ...shape, rows, directions: rows, width: taken });
  });
  const [covariances] = await backend.run([ofKeys], signal) as [Float32Array];
  const roots = Array.from(
    { length: heads },
    (_, head) => cholesky(new Float64Array(ofHead(covariances, head, heads)), features),
  );
  const turned = new Float32Array(covariances.length);
  roots.forEach((root, head) => turned.set(transposed(root, features), head * root.length));
  const multiply = (rows: typeof ofKeys, directions: typeof ofKeys) =>
    backend.innerProducts({ ...shape, rows, directions, width: features });
  const rows = backend.upload(turned), matrix = multiply(multiply(rows, ofQueries), rows);
  const [matrices, squares] = await backend.run([matrix, multiply(matrix, matrix)], signal) as Float32Array[];
  return roots.map((root, head) => {
    const squared = new Float64Array(ofHead(squares, head, heads));
    const leading = leadingSubspace(squared, features, Math.min(MOST_DIRECTIONS, features), STEPS / 2);
    const own = new Float64Array(ofHead(matrices, head, heads)), moved = rowProducts(leading, own, features);
    const along = new Float64Array(leading.length / features);
    leading.forEach((x, at) => along[Math.floor(at / features)] += x * moved[at]);
    let all = 0;
    for (let at = 0; at < own.length; at += features + 1) all += own[at];
    const factor = (scale * queries.factors[head] * keys.factors[head]) ** 2;
    return {
      features,
      root: root.map((x) => x * keys.factors[head]),
      squared,
      leading,
      all: factor * all,
      along: along.map((x) => factor * x),
    };
  });
}

/** Some rows of each head about their mean, over the root of their number and the largest of all of them, column by column: [heads, features, taken]. */
function sampleHeads(heads: number, features: number, rowsOf: (head: number) => Float32Array) {
  const samples = Array.from({ length: heads }, (_, head) => {
    const rows = rowsOf(head), count = rows.length / features;
    return { rows, places: scatteredPlaces(count, sampledOf(count)) };
  });
  const taken = Math.max(1, ...samples.map(({ places }) => places.length)), factors: number[] = [];
  const columns = new Float32Array(heads * features * taken), mean = new Float64Array(features);
  samples.forEach(({ rows, places }, head) => {
    mean.fill(0);
    for (let at = 0; at < places.length; at++) {
      for (let c = 0, from = places[at] * features; c < features; c++) mean[c] += rows[from + c];
    }
    for (let c = 0; c < features; c++) mean[c] /= places.length || 1;
    let largest = 0;
    for (let at = 0; at < places.length; at++) {
      for (let c = 0, from = places[at] * features; c < features; c++) {
        largest = Math.max(largest, Math.abs(rows[from + c] - mean[c]));
      }
    }
    factors.push(largest || 1);
    const one = 1 / (factors[head] * Math.sqrt(places.length || 1)), first = head * features * taken;
    for (let at = 0; at < places.length; at++) {
      for (let c = 0, from = places[at] * features, to = first + at; c < features; c++, to += taken) {
        columns[to] = (rows[from + c] - mean[c]) * one;
      }
    }
  });
  return { columns, taken, factors };
}

/** So many directions of a head. */
export function takeDirections(
  { features, root, squared, leading }: HeadSpread,
  directions: number,
): CanonicalDirections {
  const known = leading.length / features;
  const vectors = directions > known
    ? leadingSubspace(squared, features, directions, STEPS / 2)
    : leading.subarray(0, directions * features);
  return mapsAlong(root, vectors, features);
}

/** Leading directions with at least this share of the variance of logits are no chance, nor with twice their share of all directions; below the lower one they are. */
const LEAST_SHARE = 0.5, TIMES_EVEN = 2, CHANCE = 0.43;
/** Beyond this variance each query may look at a key of its own, whatever the directions; below the lower one logits are alike. */
const MOST_VARIANCE = 50, LEAST_VARIANCE = 0.5;

/**
 * Whether logits vary along few directions, which a tree of keys can follow: what is found along them is then worth its time, about. Undefined where that is
 * open.
 */
export function followsDirections({ features, leading, all, along }: HeadSpread): boolean | undefined {
  const held = along.reduce((a, b) => a + b, 0), even = TIMES_EVEN * leading.length / features ** 2;
  if (all <= MOST_VARIANCE && held >= Math.max(LEAST_SHARE, even) * all) return true;
  return all >= LEAST_VARIANCE && even < LEAST_SHARE && held < CHANCE * all ? false : undefined;
}
