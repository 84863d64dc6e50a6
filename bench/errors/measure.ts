import { attention, type AttentionOptions, type Device, type Tensor, tensor } from "../../mod.ts";
import { approximateMethods, ourNames } from "../../estimators/methods/methods.ts";
import { timeInTurn } from "../../proofs_checks/comparison/time_in_turn.ts";
import type { NamedInput } from "../../proofs_checks/inputs/family.ts";
import { relativeOutputError } from "../../proofs_checks/measures/spectral.ts";
import { median, ratiosOf } from "../markdown.ts";
import { publishedKdeformer } from "../peers/published_kdeformer.ts";
import { tell } from "../timing.ts";
import { type Group, meanValue, requireRecorded } from "./inputs.ts";
import {
  bestWithin,
  costInMultiplyAdds,
  type Figure,
  figuresOf,
  recordedOfficial,
  wholeCost,
} from "./rivals.ts";

/** Key evaluations for each query, all preparation included. */
export const BUDGETS = [96, 192, 384] as const;
/** Methods that are timed. */
export const TIMED = ["auto", "calibrated", "kdeformer-practical"] as const;
/** Methods that keep to a budget. */
export const METHODS = [
  "auto",
  ...ourNames.filter((name) => approximateMethods[name].withinBudget),
] as const;

/** One input at one budget. */
export interface Comparison {
  readonly input: string;
  readonly group: Group;
  readonly budget: number;
  /** By method, of each seed. */
  readonly errors: Readonly<Record<string, readonly number[]>>;
  /** What `auto` took, and what that evaluated for each query at most, with all preparation. */
  readonly taken: string;
  readonly evaluations: number;
  /** The same in units of d + d_v multiply-adds, with the linear function of a coreset. */
  readonly inMultiplyAdds: number;
  readonly meanValue: number;
  readonly published: number;
  /** The best rival whose whole cost fits, the mean value at the least. */
  readonly rival: Figure;
  /** The best whose multiply-adds are no more than the budget's, or than those of `auto`. */
  readonly rivalByMultiplyAdds: Figure;
  /** Seconds over those of the practical KDEformer, round by round, by method of TIMED. */
  readonly times: readonly (readonly number[])[];
}

/** The rival that costs nothing, but for its error. */
const MEAN_VALUE = {
  implementation: "mean value",
  variant: "",
  evaluations: 0,
  preparation: { rows: 0, products: 0 },
  otherTarget: false,
};

/** The median error of `auto`. */
export const errorOf = ({ errors }: Comparison): number => median(errors.auto);

/** Measures an input at each budget. */
export async function compareInput(
  head: NamedInput & { readonly group: Group },
  seeds: number,
  rounds: number,
  device: Device,
): Promise<Comparison[]> {
  await requireRecorded(head);
  const { query, key, value, scale, name, group } = head, queries = query.shape[1];
  const widths = { features: query.shape[2], valueFeatures: value.shape[2] };
  const run = (options: AttentionOptions) => attention(query, key, value, { ...options, scale, device });
  const exact = (await run({ method: "exact" })).output, figures = figuresOf(name);
  const [nothing] = relativeOutputError(meanValue(head), exact), found: Comparison[] = [];
  const rivals = [...figures, { ...MEAN_VALUE, error: nothing }];
  for (const budget of BUDGETS) {
    tell(`${name}, ${budget} evaluations`);
    const errors: Record<string, number[]> = {};
    let taken = "", evaluations = 0;
    for (const method of METHODS) {
      errors[method] = [];
      for (let seed = 1; seed <= seeds; seed++) {
        const { output, stats } = await run({ budget, method, seed });
        errors[method].push(relativeOutputError(output, exact)[0]);
        if (method !== "auto") continue;
        taken = stats.method;
        evaluations = Math.max(evaluations, stats.keyEvaluations / queries);
      }
    }
    const seconds = await timeInTurn(
      TIMED.map((method) => async () => (await run({ budget, method })).stats.seconds),
      rounds,
    );
    const { features, valueFeatures } = widths;
    const linear = taken === "calibrated" ? features * valueFeatures / (features + valueFeatures) : 0;
    const inMultiplyAdds = evaluations + linear;
    found.push({
      input: name,
      group,
      budget,
      errors,
      taken,
      evaluations,
      inMultiplyAdds,
      meanValue: nothing,
      published: recordedOfficial(name, budget) ?? median(publishedErrors(head, exact, budget, seeds)),
      rival: bestWithin(rivals, wholeCost, budget),
      rivalByMultiplyAdds: bestWithin(
        rivals,
        (figure) => costInMultiplyAdds(figure, widths),
        Math.max(budget, inMultiplyAdds),
      ),
      times: seconds.map((times) => ratiosOf(times, seconds[TIMED.indexOf("kdeformer-practical")])),
    });
  }
  return found;
}

/** What the published code errs in float64 with a third of the budget in the block. */
function publishedErrors(head: NamedInput, exact: Tensor, budget: number, seeds: number): number[] {
  const bucketSize = budget / 3;
  return Array.from({ length: seeds }, (_, at) => {
    const output = publishedKdeformer(head, { bucketSize, samples: budget - bucketSize }, at + 1);
    return relativeOutputError(tensor(output, exact.shape), exact)[0];
  });
}
