import type { Method } from "../../estimators/attention/approximate.ts";
import { type MethodName, methods } from "../../estimators/attention/options.ts";
import type { Implementation } from "./implementation.ts";

/** A method that approximates: `auto` chooses among these, and `exact` has claims of its own. */
export type ApproximateName = Exclude<MethodName, "auto" | "exact">;

/** Every method that approximates, in the order of the list that `attention` knows: claims about all methods go through it. */
export const approximateNames: readonly ApproximateName[] = methods.filter((name): name is ApproximateName =>
  name !== "auto" && name !== "exact"
);

/** A method as it is under test. */
export function methodOf(implementation: Implementation, name: ApproximateName): Method {
  const { kdeformerAtBudget, residual, practical, calibrated, routed } = implementation;
  const byName: Readonly<Record<ApproximateName, Method>> = {
    "kdeformer": kdeformerAtBudget,
    "kdeformer-residual": residual,
    "kdeformer-practical": practical,
    "calibrated": calibrated,
    "routed": routed,
  };
  return byName[name];
}
