import { holdsOn, searchedCase, shapeFamilies, squareFamilies } from "../engine/cases.ts";
import type { Claim } from "../engine/claim.ts";
import { Oracle } from "../measures/oracle.ts";
import { DELTA } from "./settings.ts";

/** How large the operator norm of a softmax matrix can be. */
export const softmaxNormRange: Claim = {
  name: "softmax-norm-range",
  statement:
    "The operator norm of a softmax matrix lies between √(n_q/n_k), which is 1 for a square one, and √n_q",
  formula: "√(n_q/n_k) <= ‖P‖ <= √n_q",
  source: "P maps 1 to 1, and ‖P‖ <= ‖P‖_F with rows of length at most 1",
  assumptions: "none",
  measurement: "max(√(n_q/n_k)/‖P‖, ‖P‖/√n_q), ‖P‖ in float64 by power iteration with its residual checked",
  rule: { kind: "always", allowed: DELTA },
  bound: 1 + 1e-5,
  cases: [...holdsOn(...squareFamilies, "hard-instance", ...shapeFamilies), searchedCase],
  anySource: true,
  n: 64,
  runs: 50,
  async run({ input }) {
    const { softmaxNorm, problem: { queries, keys } } = new Oracle(await input({ valueFeatures: 1 }));
    return { measured: Math.max(Math.sqrt(queries / keys) / softmaxNorm, softmaxNorm / Math.sqrt(queries)) };
  },
};

/** The norm at sizes where P cannot be held. */
export const softmaxNormKernels: Claim = {
  name: "softmax-norm-kernels",
  statement:
    "Power iteration through attention kernels, which never hold P, finds its operator norm to a hundredth",
  formula: "‖P‖ from P x = attention with value x, Pᵀ y = attention with queries and keys exchanged",
  source: "proofs_checks/measures/softmax_norm.ts",
  assumptions: "every key visible to every query",
  measurement: "|‖P‖_kernels / ‖P‖_float64 − 1|",
  rule: { kind: "always", allowed: DELTA },
  bound: 0.01,
  cases: holdsOn(
    "gaussian",
    "clustered",
    "sink-key",
    "needle",
    "huge-logits",
    "shape-more-keys",
    "shape-one-query",
  ),
  anySource: true,
  n: 96,
  runs: 50,
  async run({ implementation, input, on }) {
    const { softmaxNorm, problem } = new Oracle(await input({ valueFeatures: 1 }));
    const [norm] = await on((backend) => implementation.softmaxOperatorNorm(backend, problem));
    return { measured: Math.abs(norm / softmaxNorm - 1) };
  },
};
