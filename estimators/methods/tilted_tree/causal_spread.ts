import type { Backend } from "../../../kernels/backend.ts";
import { ofHead } from "../../core/of_head.ts";
import type { Problem } from "../../core/problem.ts";
import { cholesky } from "../../linear_algebra/cholesky.ts";
import { transposed } from "../../linear_algebra/row_products.ts";
import type { HeadRun } from "../run_heads.ts";
import {
  type CanonicalDirections,
  directionsOf,
  type LeadingDirections,
  type LogitSpread,
  sampleColumns,
  spreadOf,
} from "./canonical_directions.ts";
import { seenKeys } from "./causal_blocks.ts";
import { type LogitVariance, MOST_DIRECTIONS } from "./causal_plan.ts";

/** How the logits of one head vary, and along which directions most. */
export interface HeadSpread extends LogitVariance {
  readonly spread: LogitSpread;
  readonly leading: LeadingDirections;
}

/** Heads that are looked at together. */
const TOGETHER = 16;

/** Looks at some rows of each head, and at no key that a mask hides; the keys must be in range. */
export async function measureSpreads(
  backend: Backend,
  problem: Problem,
  signal?: AbortSignal,
): Promise<HeadSpread[]> {
  const { heads, scale } = problem, found: HeadSpread[] = [];
  for (let first = 0; first < heads; first += TOGETHER) {
    const run = { first, count: Math.min(TOGETHER, heads - first) };
    for (const spread of await spreadsOnDevice(backend, problem, run, signal)) {
      const leading = directionsOf(spread, MOST_DIRECTIONS);
      const along = leading.variances.map((x) => scale ** 2 * x);
      found.push({ spread, leading, all: scale ** 2 * spread.variance, along });
    }
    backend.reset();
  }
  return found;
}

/** What `spreadOfLogits` finds, but for roundings: products of matrices, which take most of the time, are the device's. */
async function spreadsOnDevice(
  backend: Backend,
  problem: Problem,
  run: HeadRun,
  signal?: AbortSignal,
): Promise<LogitSpread[]> {
  const { features } = problem, heads = run.count, { key, counts } = seenKeys(problem, run);
  const queries = sampleHeads(
    heads,
    features,
    (head) => ofHead(problem.query, run.first + head, problem.heads),
  );
  const keys = sampleHeads(heads, features, (head) => {
    // A head all of whose keys are hidden has one row of 0.
    return ofHead(key, head, heads).subarray(0, Math.max(1, counts[head]) * features);
  });
  const shape = { heads, count: features, projections: features };
  const [ofQueries, ofKeys] = [queries, keys].map(({ columns, taken }) => {
    const rows = backend.upload(columns);
    return backend.innerProducts({ ...shape, rows, directions: rows, width: taken });
  });
  const [covariances] = await backend.run([ofKeys], signal) as [Float32Array];
  const roots = Array.from(
    { length: heads },
    (_, head) => cholesky(Float64Array.from(ofHead(covariances, head, heads)), features),
  );
  const turned = new Float32Array(covariances.length);
  roots.forEach((root, head) => turned.set(transposed(root, features), head * root.length));
  const rows = backend.upload(turned);
  const half = backend.innerProducts({ ...shape, rows, directions: ofQueries, width: features });
  const product = backend.innerProducts({ ...shape, rows: half, directions: rows, width: features });
  const [matrices] = await backend.run([product], signal) as [Float32Array];
  return roots.map((root, head) => {
    const factor = queries.factors[head] * keys.factors[head];
    const matrix = Float64Array.from(ofHead(matrices, head, heads), (x) => x * factor ** 2);
    return spreadOf(root.map((x) => x * keys.factors[head]), matrix, features);
  });
}

/** {@link sampleColumns} of each head, over factors that let squares neither overflow nor underflow: [heads, features, taken]. */
function sampleHeads(heads: number, features: number, rowsOf: (head: number) => Float32Array) {
  const factors: number[] = [], samples: Float64Array[] = [];
  for (let head = 0; head < heads; head++) {
    const own = sampleColumns(rowsOf(head), features);
    let largest = 0;
    for (let at = 0; at < own.length; at++) largest = Math.max(largest, Math.abs(own[at]));
    factors.push(largest || 1);
    samples.push(own);
  }
  const taken = Math.max(...samples.map(({ length }) => length / features));
  const columns = new Float32Array(heads * features * taken);
  samples.forEach((own, head) => {
    const count = own.length / features;
    for (let c = 0; c < features; c++) {
      const to = (head * features + c) * taken;
      for (let at = 0; at < count; at++) columns[to + at] = own[c * count + at] / factors[head];
    }
  });
  return { columns, taken, factors };
}

/** So many directions of a head. */
export function takeDirections({ spread, leading }: HeadSpread, directions: number): CanonicalDirections {
  if (directions > leading.directions) return directionsOf(spread, directions);
  const first = (map: Float64Array) => map.subarray(0, directions * spread.features);
  return { query: first(leading.query), key: first(leading.key), directions };
}

/** Leading directions with at least this share of the variance of logits are no chance, nor with twice their share of all directions. */
const LEAST_SHARE = 0.5, TIMES_EVEN = 2;
/** Beyond this variance each query may look at a key of its own, whatever the directions. */
const MOST_VARIANCE = 50;

/** Whether logits vary along few directions, which a tree of keys can follow: what is found along them is then worth its time, about. */
export function followsDirections({ spread: { features }, leading, all, along }: HeadSpread): boolean {
  const held = along.reduce((a, b) => a + b, 0);
  const least = Math.max(LEAST_SHARE, TIMES_EVEN * leading.directions / features);
  return all <= MOST_VARIANCE && held >= least * all;
}
