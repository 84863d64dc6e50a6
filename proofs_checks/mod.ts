/**
 * Verification as a library: whether the guarantees hold, and how cost and error grow. No external import, so it runs
 * wherever `mod.ts` does.
 *
 * @example
 * ```ts
 * import { verify } from "./mod.ts";
 * const { results } = await verify({ claims: ["gray-order"], device: "reference" });
 * console.log(results[0].verdict); // holds
 * ```
 *
 * @module
 */
export { claims } from "./claims/claims.ts";
export { paretoFront } from "./comparison/front.ts";
export { measureComparison } from "./comparison/measure.ts";
export type { ComparisonOptions } from "./comparison/options.ts";
export type { ComparedProblem, ComparisonPoint, ComparisonReport } from "./comparison/report.ts";
export type { Claim, ClaimCase, InputSource, InputStream, Rule, Run, RunContext } from "./engine/claim.ts";
export { NotApplicable, type Outcome } from "./engine/outcome.ts";
export type { Asked } from "./engine/asked.ts";
export type { Code, Machine, Origin, SharedOrigin } from "./engine/origin.ts";
export { type Implementation, shipped } from "./engine/implementation.ts";
export type { Choice } from "./engine/choose_cases.ts";
export type {
  ClaimText,
  PlotPoint,
  Shards,
  VerificationReport,
  VerificationResult,
} from "./engine/report.ts";
export { verify } from "./engine/verify.ts";
export { type VerifyOptions } from "./engine/verify_options.ts";
export { families } from "./inputs/families.ts";
export type { AttentionInput, InputFamily, InputOptions, NamedInput } from "./inputs/family.ts";
export type { AnyReport } from "./report/check_report.ts";
export { type MergedReports, mergeReports } from "./report/merge.ts";
export { measureScaling } from "./scaling/measure.ts";
export type { ScalingOptions } from "./scaling/options.ts";
export type { ScalingPoint, ScalingReport, ScalingSeries } from "./scaling/report.ts";
