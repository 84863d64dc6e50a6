import { shipped } from "../../../proofs_checks/engine/implementation.ts";
import { lastSampleMissed } from "./kernels.ts";
import { methodMutant, type Mutant, mutant } from "./make_mutant.ts";

/** What is sampled beside blocks, by Algorithm 1 and from kernel matrices. */
export const samplingMutants: readonly Mutant[] = [
  mutant("a sampled key lost", "block-masks", "gaussian", { kernels: lastSampleMissed }),
  mutant("even draws in the place of those that follow columns", "practical-sinks", "eight-sink-keys", {
    methods: { ...shipped.methods, "kdeformer-practical": shipped.methods.hyperattention },
  }),
  mutant("Algorithm 1 divides by more than its densities", "kdeformer-unbiased", "half-of-each-row", {
    async kdeformer(...args) {
      const result = await shipped.kdeformer(...args);
      return { ...result, output: result.output.map((x) => 0.8 * x) };
    },
  }),
  methodMutant(
    "Algorithm 1 on a budget scales what it gives",
    "kdeformer-value-shift",
    "bounded-norms",
    "kdeformer",
    async (attend, ...args) => {
      const result = await attend(...args);
      return { ...result, output: result.output.map((x) => 1.01 * x) };
    },
  ),
  mutant("a kernel sum without its diagonal", "kernel-sum-one-place", "laplace", {
    async kernelSum(points, target) {
      const result = await shipped.kernelSum(points, target);
      return { ...result, sum: result.sum - points.shape[0] };
    },
  }),
];
