import { Purpose, RandomStream } from "../../kernels/random.ts";
import { detectableProbability } from "../statistics/power.ts";
import { SequentialMean } from "../statistics/sequential_mean.ts";
import { studentTail } from "../statistics/student_tail.ts";
import type { Claim, Rule } from "./claim.ts";

/** How large a fault a case would have refuted, with a chance of {@link POWER}; null where its rule has no such number, or where no fault is. */
export interface Detectable {
  /** Probability of a run above the bound: of claims about such a probability, or that there is no such run. */
  readonly exceedance: number | null;
  /** How many times as large every run would have been: the bound over the share of runs that this takes. */
  readonly factor: number | null;
  /** Of a mean in its unit, planned standard deviations, and of a slope how far beyond its interval. */
  readonly bias: number | null;
}

/** The chance of a refutation that "would have" stands for. */
const POWER = 0.95;

/** Of no runs. */
export const NOTHING_DETECTABLE: Detectable = { exceedance: null, factor: null, bias: null };

/**
 * What a case would have noticed.
 *
 * @param measured Its runs.
 * @param most Runs that it might have made.
 * @param level p-value at which it stops.
 */
export function detectable(
  { rule, bound }: Pick<Claim, "rule" | "bound">,
  measured: readonly number[],
  most: number,
  level: number,
): Detectable {
  if (measured.length === 0) return NOTHING_DETECTABLE;
  if (rule.kind === "mean") {
    return { ...NOTHING_DETECTABLE, bias: detectableBias(rule, measured, most, level) };
  }
  if (rule.kind === "slope") return { ...NOTHING_DETECTABLE, bias: detectableSlope(measured, level) };
  // What may never happen refutes at once, and is looked for as long as runs are made.
  const exceedance = rule.kind === "always"
    ? 1 - (1 - POWER) ** (1 / measured.length)
    : detectableProbability({ bound: rule.allowed, most, level }, POWER);
  if (exceedance === undefined) return NOTHING_DETECTABLE;
  // So many of the largest runs must exceed the bound.
  const sorted = measured.toSorted((a, b) => b - a),
    least = sorted[Math.ceil(exceedance * sorted.length) - 1];
  const factor = bound / least;
  return { exceedance, factor: Number.isFinite(factor) && factor > 0 ? factor : null, bias: null };
}

const PATHS = 200, HALVINGS = 10, MOST_BIAS = 16;
const known = new Map<string, number | null>();

/** By simulation: normal values of the spread that was seen, about a mean that is sought. */
function detectableBias(
  { tolerance }: Extract<Rule, { kind: "mean" }>,
  measured: readonly number[],
  most: number,
  level: number,
): number | null {
  const mean = measured.reduce((sum, x) => sum + x, 0) / measured.length;
  const variance = measured.reduce((sum, x) => sum + (x - mean) ** 2, 0) / Math.max(1, measured.length - 1);
  // In steps of a tenth, so that cases share what takes long; a variance above 1 is beyond what the rule is about.
  const spread = Math.min(1, Math.ceil(10 * Math.sqrt(variance)) / 10);
  if (!Number.isFinite(spread)) return null;
  const name = `${tolerance} ${most} ${level} ${spread}`, found = known.get(name);
  if (found !== undefined) return found;
  let low = 0, high = MOST_BIAS, bias: number | null = null;
  if (share(high) >= POWER) {
    for (let halving = 0; halving < HALVINGS; halving++) {
      const middle = (low + high) / 2;
      if (share(middle) < POWER) low = middle;
      else high = middle;
    }
    bias = high;
  }
  known.set(name, bias);
  return bias;

  /** How often a mean of so much is refuted. */
  function share(bias: number): number {
    let refuted = 0;
    for (let path = 0; path < PATHS; path++) {
      const random = new RandomStream(path, Purpose.data), sequence = new SequentialMean(tolerance);
      for (let run = 0; run < most; run++) {
        sequence.add(bias + spread * random.normal());
        const { logEvidenceFor, logEvidenceAgainst } = sequence.evidence();
        if (Math.max(logEvidenceFor, logEvidenceAgainst) < -Math.log(level)) continue;
        if (logEvidenceAgainst >= logEvidenceFor) refuted++;
        break;
      }
    }
    return refuted / PATHS;
  }
}

/** How far beyond its interval a slope is refuted: Student's quantile of the level, and that of the chance on top. */
function detectableSlope(slopes: readonly number[], level: number): number | null {
  const count = slopes.length, mean = slopes.reduce((sum, x) => sum + x, 0) / count;
  const squares = slopes.reduce((sum, x) => sum + (x - mean) ** 2, 0);
  if (count < 3 || !Number.isFinite(squares)) return null;
  const quantile = (tail: number) => {
    let low = 0, high = 1;
    while (studentTail(high, count - 1) > tail) high *= 2;
    while (high - low > 1e-6 * high) {
      const middle = (low + high) / 2;
      if (studentTail(middle, count - 1) > tail) low = middle;
      else high = middle;
    }
    return high;
  };
  return (quantile(level / 2) + quantile(1 - POWER)) * Math.sqrt(squares / (count - 1) / count);
}
