import { tensor } from "../../kernels/tensor.ts";
import { holdsOn, searchedCase, shapeFamilies } from "../engine/cases.ts";
import type { Claim } from "../engine/claim.ts";
import { Oracle } from "../measures/oracle.ts";
import { differenceFrom } from "./exact_cases.ts";
import { DELTA, VALUE_FEATURES } from "./settings.ts";

const PARTS = 3;

/** Attention over parts of the keys is attention over all of them. */
export const mergeIdentity: Claim = {
  name: "merge-identity",
  statement: "Attention over disjoint parts of the keys, merged by log-sum-exp, is attention over all keys",
  formula: "o = Σ_p e^(ℓ_p − ℓ) o_p, ℓ = ln Σ_p e^(ℓ_p)",
  source: "Milakov and Gimelshein 2018; Dao, Fu, Ermon, Rudra and Ré 2022",
  assumptions:
    `single precision; ${PARTS} parts of unequal size, merged on the host and two at a time on the device`,
  measurement: "largest difference from PV in float64, over what rounding of the logits explains",
  rule: { kind: "always", allowed: DELTA },
  bound: 1,
  cases: [
    ...holdsOn(
      "gaussian",
      "heavy-tailed",
      "sink-key",
      "needle",
      "permutation-softmax",
      "huge-logits",
      "common-key-offset",
      ...shapeFamilies,
    ),
    searchedCase,
  ],
  anySource: true,
  n: 64,
  runs: 50,
  async run({ implementation, input, on }) {
    const oracle = new Oracle(await input({ valueFeatures: VALUE_FEATURES })), { problem } = oracle;
    const { queries, keys, features, valueFeatures } = problem;
    const ends = Array.from({ length: PARTS + 1 }, (_, p) => Math.round(keys * (p / PARTS) ** 2));
    const { parts, onDevice } = await on(async (backend) => {
      const query = backend.upload(problem.query), shape = { ...problem, heads: 1, query };
      const recorded = ends.slice(1).flatMap((end, p) =>
        end > ends[p]
          ? [backend.attend({
            ...shape,
            logWeights: undefined,
            keys: end - ends[p],
            key: backend.upload(problem.key.subarray(ends[p] * features, end * features)),
            value: backend.upload(problem.value.subarray(ends[p] * valueFeatures, end * valueFeatures)),
          })]
          : []
      );
      const merged = recorded.reduce((first, second) =>
        backend.mergeAttention({ first, second, heads: 1, queries, valueFeatures })
      );
      const read = await backend.run([
        merged.output,
        ...recorded.flatMap(({ output, logSumExp }) => [output, logSumExp]),
      ]) as Float32Array[];
      const parts = recorded.map((_, p) => ({
        output: tensor(read[1 + 2 * p], [queries, valueFeatures]),
        logSumExp: tensor(read[2 + 2 * p], [queries]),
      }));
      return { parts, onDevice: read[0] };
    });
    const onHost = implementation.mergePartials(parts).output.data;
    return { measured: Math.max(differenceFrom(oracle, onDevice), differenceFrom(oracle, onHost)) };
  },
};
