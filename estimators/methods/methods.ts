import { calibrated } from "./calibrated/calibrated.ts";
import { hyperattention } from "./hyperattention/hyperattention.ts";
import { kdeformerAtBudget } from "./kdeformer/kdeformer_at_budget.ts";
import { kdeformerPractical } from "./kdeformer_practical/kdeformer_practical.ts";
import { kdeformerResidual } from "./kdeformer_residual/kdeformer_residual.ts";
import type { Method } from "./method.ts";
import { routed } from "./routed/routed.ts";
import { tiltedTree } from "./tilted_tree/tilted_tree.ts";

/** The methods that `attention` knows. */
export const methods = [
  "auto",
  "exact",
  "kdeformer",
  "kdeformer-residual",
  "kdeformer-practical",
  "hyperattention",
  "calibrated",
  "tilted-tree",
  "routed",
] as const;
/** One of {@link methods}. */
export type MethodName = typeof methods[number];

/** The name of an approximate method. */
export type ApproximateName = Exclude<MethodName, "auto" | "exact">;

/**
 * The approximate methods by name, and all there is to know of each: options, `verify`, `compare`, benchmarks, the tables of
 * the documents and tests read them here. The compiler asks for each name of the list above.
 */
export const approximateMethods: Readonly<Record<ApproximateName, Method>> = {
  "kdeformer": kdeformerAtBudget,
  "kdeformer-residual": kdeformerResidual,
  "kdeformer-practical": kdeformerPractical,
  "hyperattention": hyperattention,
  "calibrated": calibrated,
  "tilted-tree": tiltedTree,
  "routed": routed,
};

/** The names of the approximate methods. */
export const approximateNames: readonly ApproximateName[] = Object.keys(
  approximateMethods,
) as ApproximateName[];

/** What "auto" and "exact" do, in the words of the registry. */
const otherSummaries: Readonly<Record<"auto" | "exact", string>> = {
  auto:
    "the default: `calibrated` where it costs far less than exact, `tilted-tree` where rows held out say it is rough, else exact",
  exact: "every key, in tiles",
};

/** One line on each method, for people. */
export function summaryOf(name: MethodName): string {
  return name === "auto" || name === "exact" ? otherSummaries[name] : approximateMethods[name].summary;
}
