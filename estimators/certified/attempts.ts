import type { Backend } from "../../kernels/backend.ts";
import { type Budget, type Method, perQuery, scaleBudget } from "../methods/method.ts";
import { runMethod } from "../methods/visible.ts";
import type { Progress } from "../core/head_chunks.ts";
import type { Problem } from "../core/problem.ts";
import type { Certificate } from "./certificate.ts";
import { certifyHeads, evidenceOf } from "./certify.ts";
import {
  type Checkpoint,
  checkpoints,
  faultless,
  firstDelta,
  LEAST_ROWS,
  rowsNeeded,
  timesError,
  withError,
  wouldHold,
} from "./check_plan.ts";
import { isWorth, prospectOf, timeOf } from "./attempt_worth.ts";
import { lowerMeanBound } from "./confidence.ts";
import { boundFrom, type Evidence, farthestErrors, meanSquaredImage } from "./evidence.ts";
import type { ExactRows } from "./exact_rows.ts";
import type { HeadGeometry } from "./head_geometry.ts";
import { squaredLength } from "../linear_algebra/lower_operator_norm.ts";
import { distanceOfFarthest } from "./value_geometry.ts";

/** What attempts are made on, and what they may take; rows and evaluations are those of one query head. */
export interface AttemptSettings {
  readonly method: Method;
  /** As it goes to the method. */
  readonly problem: Problem;
  readonly geometry: readonly HeadGeometry[];
  readonly epsilon: number;
  readonly delta: number;
  readonly certify: "bound" | "estimate";
  readonly checkSeed: number;
  /** The first attempt's budget. */
  readonly start: Budget;
  readonly mostRows: number;
  /** Evaluations that all attempts may take. */
  readonly allowance: number;
}

/** What came of them. */
export interface Attempted {
  /** Null where exact attention has to answer. */
  readonly held: { readonly output: Float32Array; readonly certificate: Certificate; budget: Budget } | null;
  /** Why it has to. */
  readonly reason: string;
  /** Evaluations of approximations; rows checked are none of them. */
  readonly evaluations: number;
}

/** The error hoped for, as a share of the one allowed: the check bounds the error with rows that it has not seen. */
const AIM = 0.5;
/** Rows of the first check, over those that an output without error would take. */
const MARGIN = 1.1;
/** Numbers of rows beyond so many times those that there are need no telling apart. */
const FAR_TOO_MANY = 1e6;
/** An estimate of ‖P‖ is taken down to where it would be too high with this probability. */
const UNLIKELY = 0.1;
/** A budget is at most so many times the one before. */
const MOST_GROWTH = 8;

/**
 * Approximates, and compares with rows computed exactly, until a certificate holds or these rows say that none will.
 *
 * The budgets are 2^j times the first one, and checkpoints hang on the output and the geometry alone: no output and no
 * number of rows hangs on the rows that judge it. So the same rows serve all attempts, and which attempts and checkpoints
 * are left out may hang on what they show (docs/theory.md, section 8.3).
 */
export async function attemptWithin(
  backend: Backend,
  settings: AttemptSettings,
  exact: ExactRows,
  progress: Progress,
): Promise<Attempted> {
  const { method, problem, geometry, delta, checkSeed, start, mostRows, allowance } = settings;
  const { period, keys } = problem, queryHeads = geometry.length;
  let evaluations = 0, lost = 0;
  const refuse = (reason: string): Attempted => ({ held: null, reason: `exact: ${reason}`, evaluations });

  const hopeless = await reasonAgainst(backend, settings, exact, progress.signal);
  if (hopeless) return refuse(hopeless);
  for (let attempt = 0;;) {
    const budget = scaleBudget(start, 2 ** attempt);
    const result = await runMethod(method, backend, problem, budget, progress);
    evaluations += result.keyEvaluations / queryHeads;
    // It may have been another order of sums than the certificate of exact rows is about.
    if (result.exact) return { held: null, reason: result.note ?? "exact", evaluations };
    const farthest = farthestErrors(problem, result.output, geometry);
    if (!farthest.every(Number.isFinite)) return refuse("the approximation is not finite");
    let evidence = geometry.map((head, at) => faultless(head, period, farthest[at]));
    // Without any error fewer rows would not do.
    const least = rowsNeeded(evidence, geometry, settings, mostRows, firstDelta(attempt, delta)) ?? mostRows;
    const first = Math.min(mostRows, Math.ceil(MARGIN * least));
    let left = checkpoints(first, mostRows, attempt, delta).filter(({ rows }) => rows >= exact.rows);
    while (left.length > 0) {
      const [point, ...later] = left;
      await exact.extendTo(backend, point.rows, progress.signal);
      evidence = evidenceOf(problem, result.output, exact, geometry, farthest);
      if (wouldHold(evidence, geometry, settings, point)) {
        const check = { ...settings, ...point, seed: checkSeed };
        const { certificate } = certifyHeads(evidence, geometry, check);
        exact.writeInto(result.output);
        return {
          held: { output: result.output, certificate: { ...certificate, delta }, budget },
          reason: "",
          evaluations,
        };
      }
      left = fromPromising(later, evidence, settings);
    }
    lost += timeOf(method, budget, keys);
    const spare = allowance - evaluations, next = nextAttempt(evidence, settings, attempt, { spare, lost });
    if (next === undefined) {
      return refuse(
        `by ${exact.rows} rows of ${period} that were checked, epsilon ${settings.epsilon} would take more than ${mostRows} of ` +
          `them at ${
            perQuery(budget)
          } of ${keys} keys per query, and no larger budget is worth another attempt`,
      );
    }
    attempt = next;
  }
}

/**
 * Why no approximation is worth an attempt, if geometry or a few exact rows tell. These cost nothing if exact attention has to
 * answer, and say how large ‖P‖ and the outputs are, and how far these scatter.
 */
async function reasonAgainst(
  backend: Backend,
  settings: AttemptSettings,
  exact: ExactRows,
  signal?: AbortSignal,
): Promise<string | undefined> {
  const { problem: { period, keys }, geometry, epsilon, mostRows, delta, method, start } = settings;
  const last = { rows: mostRows, delta: firstDelta(0, delta) };
  const refuse = (evidence: readonly Evidence[], what: string) => {
    const needed = rowsNeeded(evidence, geometry, settings, FAR_TOO_MANY * period, last.delta);
    const rows = needed === undefined ? "more rows than there are" : `${needed} checked rows of ${period}`;
    return `certifying epsilon ${epsilon} would take ${rows}${what}, and no more than ${mostRows} pay`;
  };
  // No output reaches less far than the values' radius from some row of attention.
  const certain = geometry.map((head) => faultless(head, period, head.radius));
  if (!wouldHold(certain, geometry, settings, last)) return refuse(certain, " even without an error");
  await exact.extendTo(backend, LEAST_ROWS, signal);
  const measured = certain.map((head, at) => {
    const own = exact.ofHead(at), { radius, centre } = geometry[at];
    const farthest = radius + distanceOfFarthest(own.output, centre);
    return { ...head, farthest, squaredImage: meanSquaredImage(own, geometry[at], at * period) };
  });
  const usual = measured.map((found, at) => {
    const { largestImage, centre: { length: width } } = geometry[at], most = largestImage ** 2;
    const share = most > 0 ? lowerMeanBound(Math.min(1, found.squaredImage / most), LEAST_ROWS, UNLIKELY) : 0;
    const error = (method.usualError ?? 1) * scatter(exact.ofHead(at).output, width) * Math.sqrt(period);
    return withError({ ...found, squaredImage: share * most }, error);
  });
  const hoped = measured.map((found, at) => {
    const each = { ...last, epsilon, delta: last.delta / geometry.length };
    return withError(found, AIM * boundFrom(found, geometry[at], each).target);
  });
  const cost = timeOf(method, start, keys), prospect = prospectOf(usual, geometry, settings, last, hoped);
  if (isWorth(prospect, cost, period)) return undefined;
  const where = ` at ${perQuery(start)} of ${keys} keys per query`;
  if (!wouldHold(usual, geometry, settings, last)) {
    return refuse(usual, ` with the error that the method is likely to have,${where}`);
  }
  return `an attempt${where} would take ${
    cost.toPrecision(2)
  } of the time of exact attention, and epsilon ${epsilon} be ` +
    `certified by it with a chance of ${prospect.chance.toPrecision(2)}`;
}

/** Root mean square distance of rows from their mean. */
function scatter(rows: Float32Array, width: number): number {
  const count = rows.length / width, sums = new Float64Array(width);
  let squares = 0;
  rows.forEach((x, at) => {
    sums[at % width] += x;
    squares += x * x;
  });
  return Math.sqrt(Math.max(0, squares - squaredLength(sums) / count) / count);
}

/** The checkpoints from the first on that would hold if further rows showed the same. */
function fromPromising(
  points: readonly Checkpoint[],
  evidence: readonly Evidence[],
  settings: AttemptSettings,
): Checkpoint[] {
  const at = points.findIndex((point) => wouldHold(evidence, settings.geometry, settings, point));
  return at < 0 ? [] : points.slice(at);
}

/** The next attempt that is worth it and can be afforded, if errors fall as the root of the budget. */
function nextAttempt(
  evidence: readonly Evidence[],
  { problem: { period, keys }, geometry, start, mostRows, delta, method, ...question }: AttemptSettings,
  attempt: number,
  { spare, lost }: { readonly spare: number; readonly lost: number },
): number | undefined {
  for (let growth = 2; growth <= MOST_GROWTH; growth *= 2) {
    const next = attempt + Math.log2(growth), budget = scaleBudget(start, 2 ** next);
    if (perQuery(budget) * period > spare) return undefined;
    const expected = evidence.map((found) => timesError(found, 1 / Math.sqrt(growth)));
    const last = { rows: mostRows, delta: firstDelta(next, delta) };
    const prospect = prospectOf(expected, geometry, question, last);
    if (isWorth(prospect, timeOf(method, budget, keys), period, lost)) return next;
  }
  return undefined;
}
