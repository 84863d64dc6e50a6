import { type Backend, EMPTY, MASKED } from "../../kernels/backend.ts";
import { exactAttention, mergesOfKeys } from "../core/exact.ts";
import type { Progress } from "../core/head_chunks.ts";
import type { Problem } from "../core/problem.ts";
import { countVisible } from "../core/visible_pairs.ts";
import { squaredRow } from "../linear_algebra/squared_row.ts";
import { scatteredPlaces } from "../linear_algebra/scattered_places.ts";
import type { Certificate } from "./certificate.ts";
import { checkFinite, leastSoftmaxNorm, roundingOfRow } from "./exact_certificate.ts";
import { type CellMeans, cellsOfRows, meansOfCells } from "./key_cells.ts";
import { type RoundingBounds, roundingBounds } from "./rounding_bound.ts";
import { HOST_ROUNDING, type ValueGeometry } from "./value_geometry.ts";

/** Attention to cells of keys, and what is certain of it. */
export interface MergedAttention {
  readonly output: Float32Array;
  readonly certificate: Certificate;
  readonly keyEvaluations: number;
  /** Cells of the head that has most. */
  readonly cells: number;
}

/** Cells are worth it while they are no more than this share of the keys that may be seen. */
const MOST_SHARE = 1 / 8;
/** So many keys of each head tell whether a look at all of them is worth it, and so many cells of them that it is not. */
const LOOKED_AT = 512, MOST_SEEN = 0.7;
/** For that look one query in so many tells how long they are, and cells may reach so many times as far. */
const ONE_IN = 16, FARTHER = 2;
/** Of the error allowed, what may be spent on merging; the rest is for what rounding adds. */
const SPENT = 0.95;

/**
 * Attention to the mean keys and values of cells in which keys lie so close together that no query tells them apart, and a bound of the
 * error of each row for certain, without any row of exact attention (docs/theory.md, section 8.4).
 *
 * @param problem One without causal order; its queries are as given, and a mask hides keys.
 * @param values As of `valueGeometry`.
 * @param rounding What `roundingBounds` says of exact attention, about which that to cells errs.
 * @returns Undefined where keys lie in more cells than pay, or the bound is above what is asked for.
 */
export async function attendMerged(
  backend: Backend,
  problem: Problem,
  values: readonly ValueGeometry[],
  rounding: RoundingBounds,
  epsilon: number,
  progress: Progress = {},
): Promise<MergedAttention | undefined> {
  if (problem.causalOffset !== undefined || problem.halves) return undefined;
  const targets = values.flatMap((value) => {
    const group = problem.queries / problem.period;
    return new Array<number>(group).fill(epsilon * leastSoftmaxNorm(problem.period, value) * value.valueNorm);
  });
  const found = cellsOfHeads(problem, values, rounding, targets);
  if (!found) return undefined;
  const cells = found.map(({ keys: { sizes } }) => sizes.length).reduce((a, b) => Math.max(a, b));
  const merged = mergedProblem(problem, found, cells);
  // What parts of keys that a small device merges would add is left out.
  if (mergesOfKeys(backend, merged) > 0) return undefined;
  const worst = worstHead(problem, found, values, roundingBounds(backend, merged), targets);
  if (!(worst.bound <= worst.target)) return undefined;
  const { output } = await exactAttention(backend, merged, progress);
  checkFinite(output, merged);
  const compared = found.reduce((sum, { compared }) => sum + compared, 0);
  return {
    output,
    certificate: {
      holds: true,
      guaranteed: true,
      epsilon,
      delta: 0,
      operatorNormBound: worst.bound,
      operatorNormEstimate: 0,
      target: worst.target,
      rowsChecked: 0,
      kind: "bound",
      checkSeed: null,
    },
    keyEvaluations: countVisible(merged) + compared,
    cells,
  };
}

interface HeadCells {
  readonly keys: CellMeans;
  readonly values: CellMeans;
  readonly compared: number;
}

/** Cells of each key head, as wide as the closest target of its query heads allows. */
function cellsOfHeads(
  problem: Problem,
  values: readonly ValueGeometry[],
  rounding: RoundingBounds,
  targets: readonly number[],
): HeadCells[] | undefined {
  const { heads, queries, period, features, valueFeatures, scale } = problem, group = queries / period;
  const found: HeadCells[] = [];
  const someQueries = scatteredPlaces(period, Math.ceil(period / ONE_IN));
  for (let head = 0; head < heads; head++) {
    const reachOf = (rows: Uint32Array) => {
      const each = period / rows.length;
      let reach = Infinity;
      for (let at = head * group; at < (head + 1) * group; at++) {
        let squares = 0, rounded = 0;
        for (const row of rows) {
          squares += each * squaredRow(problem.query, (at * period + row) * features, features);
          rounded += each * roundingOfRow(rounding, values[head], at * period + row) ** 2;
        }
        const apart = Math.abs(scale) * Math.sqrt(squares) * values[head].radius;
        reach = Math.min(reach, apart > 0 ? (SPENT * targets[at] - Math.sqrt(rounded)) / apart : Infinity);
      }
      return reach;
    };
    const most = Math.floor(MOST_SHARE * values[head].visible);
    if (most === 0 || looksScattered(problem, head, FARTHER * reachOf(someQueries))) return undefined;
    const reach = reachOf(scatteredPlaces(period, period)), picks = visibleOf(problem, head);
    const cells = reach >= 0 ? cellsOfRows(problem.key, features, picks, reach, most) : undefined;
    if (!cells) return undefined;
    found.push({
      keys: meansOfCells(problem.key, features, picks, cells),
      values: meansOfCells(problem.value, valueFeatures, picks, cells),
      compared: cells.compared,
    });
  }
  return found;
}

/** Whether some keys of a head show that all of them lie in too many cells. */
function looksScattered(
  { key, keys, features, logWeights }: Problem,
  head: number,
  reach: number,
): boolean {
  const step = Math.floor(keys / LOOKED_AT);
  if (step < 2 || !(reach >= 0)) return step >= 2;
  const some: number[] = [];
  for (const place of scatteredPlaces(keys, Math.ceil(keys / step))) {
    const at = head * keys + place;
    if (!logWeights || logWeights[at] > MASKED) some.push(at);
  }
  return some.length > 0 &&
    !cellsOfRows(key, features, Uint32Array.from(some), reach, Math.ceil(MOST_SEEN * some.length));
}

/** The keys of a head that may be seen, counted through all heads. */
function visibleOf({ keys, logWeights }: Problem, head: number): Uint32Array {
  const all = Uint32Array.from({ length: keys }, (_, j) => head * keys + j);
  return logWeights ? all.filter((key) => logWeights[key] > MASKED) : all;
}

/** A key for each cell, which weighs as much as it has keys; heads with fewer have hidden ones. */
function mergedProblem(problem: Problem, found: readonly HeadCells[], cells: number): Problem {
  const { heads, features, valueFeatures } = problem;
  const key = new Float32Array(heads * cells * features),
    value = new Float32Array(heads * cells * valueFeatures);
  const logWeights = new Float32Array(heads * cells).fill(EMPTY);
  found.forEach((own, head) => {
    key.set(own.keys.means, head * cells * features);
    value.set(own.values.means, head * cells * valueFeatures);
    own.keys.sizes.forEach((size, at) => logWeights[head * cells + at] = Math.log(size));
  });
  return { ...problem, keys: cells, key, value, logWeights };
}

/** The head that is closest to its target, or farthest above it. */
function worstHead(
  problem: Problem,
  found: readonly HeadCells[],
  values: readonly ValueGeometry[],
  rounding: RoundingBounds,
  targets: readonly number[],
): { bound: number; target: number } {
  const { queries, period, features, scale } = problem, group = queries / period;
  let worst = { bound: 0, target: 0, share: -1 };
  targets.forEach((target, at) => {
    const head = Math.floor(at / group), { keys, values: means } = found[head], value = values[head];
    const away = keys.radius * (1 + HOST_ROUNDING),
      moved = means.moved + problem.keys * 2 ** -52 * value.longest;
    let squares = 0;
    for (let row = at * period; row < (at + 1) * period; row++) {
      const told = Math.abs(scale) * Math.sqrt(squaredRow(problem.query, row * features, features)) * away;
      const merging = 2 * Math.tanh(told / 2) * value.radius + moved;
      const around = { ...value, radius: value.radius + moved, longest: value.longest + moved };
      squares += (merging + roundingOfRow(rounding, around, row)) ** 2;
    }
    const bound = Math.sqrt(squares) * (1 + HOST_ROUNDING), share = bound === 0 ? 0 : bound / target;
    // Written so that NaN is the worst.
    if (!(share <= worst.share)) worst = { bound, target, share };
  });
  return worst;
}
