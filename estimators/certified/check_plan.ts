import { boundFrom, estimateFrom, type Evidence } from "./evidence.ts";
import type { HeadGeometry } from "./head_geometry.ts";

/** A number of rows after which an output may be judged, and the probability that this judgement may be wrong. */
export interface Checkpoint {
  readonly rows: number;
  readonly delta: number;
}

/** What is asked of an output. */
export interface Question {
  readonly epsilon: number;
  readonly certify: "bound" | "estimate";
}

/** Fewest rows that a check draws. */
export const LEAST_ROWS = 64;
/** How far apart checkpoints are. */
const RATIO = 1.5;

/**
 * The checkpoints of an attempt, from `first` rows on, the last at `most`. Checkpoint k of attempt j spends 3 · delta/(4^(j+1) 2^(k+1)),
 * which makes delta over all of them. They must hang on nothing that the rows checked have shown: then it does no harm to
 * let these decide which checkpoints and which attempts are left out.
 */
export function checkpoints(first: number, most: number, attempt: number, delta: number): Checkpoint[] {
  const points: Checkpoint[] = [];
  for (let rows = first; points.at(-1)?.rows !== most; rows = Math.ceil(rows * RATIO)) {
    points.push({ rows: Math.min(most, rows), delta: firstDelta(attempt, delta) / 2 ** points.length });
  }
  return points;
}

/** What the first checkpoint of an attempt spends. */
export function firstDelta(attempt: number, delta: number): number {
  return 3 * delta / (2 * 4 ** (attempt + 1));
}

/** What rows would show of an output without any error, as far as `geometry` alone can tell. */
export function faultless(
  { softmaxNormEstimate, squaredDirection }: HeadGeometry,
  queries: number,
  farthest: number,
): Evidence {
  return {
    queries,
    farthest,
    squaredError: 0,
    squaredRemoved: 0,
    squaredRounding: 0,
    squaredImage: softmaxNormEstimate ** 2 * squaredDirection / queries,
    operatorNorm: () => 0,
  };
}

/** The same if the output errs by so much, in Frobenius norm. */
export function withError(evidence: Evidence, error: number): Evidence {
  const squared = error ** 2 / evidence.queries;
  return timesError({
    ...evidence,
    squaredError: squared,
    squaredRemoved: squared,
    operatorNorm: () => error / Math.sqrt(evidence.queries),
  }, 1);
}

/** The same if all errors of the output were so many times as large, as far as they can be. */
export function timesError(evidence: Evidence, factor: number): Evidence {
  const most = evidence.farthest ** 2;
  return {
    ...evidence,
    squaredError: Math.min(most, evidence.squaredError * factor ** 2),
    squaredRemoved: Math.min(most, evidence.squaredRemoved * factor ** 2),
    operatorNorm: () => Math.min(evidence.farthest, evidence.operatorNorm() * factor),
  };
}

/** Whether all heads would be certified at a checkpoint if its rows showed this. */
export function wouldHold(
  evidence: readonly Evidence[],
  geometry: readonly HeadGeometry[],
  { epsilon, certify }: Question,
  { rows, delta }: Checkpoint,
): boolean {
  return evidence.every((found, head) => {
    const bound = boundFrom(found, geometry[head], { epsilon, rows, delta: delta / evidence.length });
    const size = certify === "estimate" ? estimateFrom(found, rows) : bound.operatorNormBound;
    return size < Infinity && size <= bound.target;
  });
}

/** Rows after which a check would hold if they showed this, to a tenth; undefined where no more than `most` would do. */
export function rowsNeeded(
  evidence: readonly Evidence[],
  geometry: readonly HeadGeometry[],
  question: Question,
  most: number,
  delta: number,
): number | undefined {
  const holds = (rows: number) => wouldHold(evidence, geometry, question, { rows, delta });
  if (most < LEAST_ROWS || !holds(most)) return undefined;
  // More rows never tell less.
  let least = LEAST_ROWS, enough = most;
  if (holds(least)) return least;
  while (enough > 1.1 * least) {
    const middle = Math.round(Math.sqrt(least * enough));
    if (holds(middle)) enough = middle;
    else least = middle;
  }
  return enough;
}
