import { type Budget, type Method, perQuery } from "../methods/method.ts";
import { type Checkpoint, type Question, rowsNeeded, timesError, wouldHold } from "./check_plan.ts";
import type { Evidence } from "./evidence.ts";
import type { HeadGeometry } from "./head_geometry.ts";

/** What an attempt promises. */
export interface Prospect {
  /** That a certificate comes of it, about. */
  readonly chance: number;
  /** Rows that are then checked. */
  readonly rows: number;
}

/** What methods prepare takes about the time of so many evaluations for each query, if their records do not say otherwise. */
const UNSEEN = 100;
/** Of fewer than so many times as many keys exact attention takes milliseconds, and what is lost is no matter. */
const UNSEEN_SHARE = 1 / 12;
/** Errors are about as they are expected to be: by a factor of e^(1/this) more or less as log-logistic variables are by their scale. */
const STEEPNESS = 5;
/** Beyond these factors nothing is told apart. */
const MOST_FACTOR = 16, BISECTIONS = 12;
/** Few rows tell ‖P‖ and errors badly: an attempt that can succeed does so with no smaller chance, about. */
const LEAST_HOPE = 0.1;
/** What may be lost in the mean, as a share of the time of exact attention. */
const MOST_RISK = 0.04;

/** What an attempt takes, as a share of the time of exact attention. */
export function timeOf({ unseenEvaluations = UNSEEN }: Method, budget: Budget, keys: number): number {
  return perQuery(budget) / keys + Math.min(unseenEvaluations / keys, UNSEEN_SHARE);
}

/**
 * The chance that an output will be certified by no more rows than the last checkpoint has, if its errors are about what the evidence
 * says: from the factor that these may be times larger.
 *
 * @param hoped What few rows do not rule out: if that would be certified, the chance is no less than a small one.
 */
export function prospectOf(
  expected: readonly Evidence[],
  geometry: readonly HeadGeometry[],
  question: Question,
  last: Checkpoint,
  hoped?: readonly Evidence[],
): Prospect {
  const scaled = (factor: number) => expected.map((found) => timesError(found, factor));
  const holds = (factor: number) => wouldHold(scaled(factor), geometry, question, last);
  const hope = hoped ? rowsNeeded(hoped, geometry, question, last.rows, last.delta) : undefined;
  let low = holds(MOST_FACTOR) ? MOST_FACTOR : 1 / MOST_FACTOR, high = MOST_FACTOR;
  if (!holds(low)) return hope ? { chance: LEAST_HOPE, rows: hope } : { chance: 0, rows: last.rows };
  for (let step = 0; step < BISECTIONS && low < high; step++) {
    const middle = Math.sqrt(low * high);
    if (holds(middle)) low = middle;
    else high = middle;
  }
  const rows = rowsNeeded(scaled(Math.min(1, low)), geometry, question, last.rows, last.delta) ?? last.rows;
  const chance = 1 / (1 + low ** -STEEPNESS);
  return hope && chance < LEAST_HOPE ? { chance: LEAST_HOPE, rows: hope } : { chance, rows };
}

/**
 * Whether an attempt is expected to save time, and not to lose much with what has been lost before (docs/theory.md, section 8.3).
 *
 * @param cost As `timeOf`, and `lost` as well.
 */
export function isWorth({ chance, rows }: Prospect, cost: number, period: number, lost = 0): boolean {
  return chance * (1 - rows / period) > cost && (1 - chance) * (lost + cost) <= MOST_RISK;
}
