import type { VerificationReport, VerificationResult } from "../../../proofs_checks/engine/report.ts";
import { verify } from "../../../proofs_checks/engine/verify.ts";
import type { ScalingReport } from "../../../proofs_checks/scaling/report.ts";

/** A small verification as its file holds it. */
export async function verificationFile(
  options: Parameters<typeof verify>[0] = {},
): Promise<VerificationReport> {
  const report = await verify({
    claims: ["gray-order", "residual-mass"],
    runs: 2,
    device: "reference",
    ...options,
  });
  return JSON.parse(JSON.stringify(report));
}

/** A result of its own kind for every look that a page knows. */
export function resultsOfEveryLook(result: VerificationResult): VerificationResult[] {
  const like = (family: string, parts: Partial<VerificationResult>) => ({ ...result, family, ...parts });
  return [
    like("holding", { verdict: "holds", expected: "holds" }),
    like("better", { verdict: "holds", expected: "refuted", why: "theory" }),
    like("expected", { verdict: "refuted", expected: "refuted", why: "theory" }),
    like("against", { verdict: "refuted", expected: "holds", note: "a note" }),
    like("open", { verdict: "inconclusive" }),
    like("broken", { verdict: "error", reason: "run 0: no network", note: "run 0: no network" }),
    like("idle", { verdict: "vacuous", telling: 0 }),
    like("tiny", { verdict: "not-applicable", reason: "not applicable at n = 1: one key" }),
  ];
}

/** Points of every claim that a plot is drawn of. */
export const plottedPoints: VerificationReport["points"] = [
  { claim: "practical-slope", family: "gaussian", error_24: 0.5, error_48: 0.3, error_96: 0.2 },
  { claim: "residual-slope", family: "clustered", error_24: 0.4, error_48: 0.2, error_96: 0.1 },
  { claim: "certificate-moved-rows", family: "gaussian", error: 0.1, certified: 0.3 },
  { claim: "certificate-spoilt-rows", family: "needle", error: 0.2, certified: 0.4 },
  { claim: "hardness-boundary", family: "lognormal-logits-2-ln-n", error: 0.4, logitShare: 2 },
  { claim: "hardness-boundary", family: "lognormal-logits-0.5-ln-n", error: 0.2, logitShare: 0.5 },
];

/** A scaling report that nothing was measured for. */
export const scalingReport: ScalingReport = {
  schema: "kdeformer-scaling",
  version: 1,
  seed: 1,
  device: "wasm",
  adapter: "made up",
  epsilon: 0.3,
  budget: { bucket: 64, samples: 128 },
  seconds: 3,
  series: (["exact", "fixed-budget", "fixed-epsilon"] as const).map((mode) => ({
    workload: "gaussian",
    method: mode === "exact" ? "exact" : "auto",
    mode,
    slope: 1.5,
    slope_interval: [1.4, 1.6],
    evaluations_slope: 1,
    memory_slope: null,
    crossover: mode === "exact" ? null : 3000,
    points: [1024, 2048, 4096].map((n) => ({
      n,
      seconds: n / 1e4,
      all_seconds: [n / 1e4, n / 9e3],
      key_evaluations: 192 * n,
      peak_bytes: 1e6 + n,
      error: 0.1,
      error_output: 0.2,
      extrapolated: n === 4096,
      fell_back: n === 1024 && mode === "fixed-epsilon" ? "cheaper" : null,
    })),
  })),
  replay: "deno run -A cli.ts scaling",
};
