import { assertLess } from "@std/assert";
import { exactAttention, type HostAttention } from "../../../../estimators/core/exact.ts";
import type { Problem } from "../../../../estimators/core/problem.ts";
import { ReferenceBackend } from "../../../../kernels/reference/backend.ts";

/** Standard errors that a mean may be off: once in 16,000 by chance, for each of the few means of a test; seeds are fixed. */
const MOST = 4;

/**
 * Numerators Σ e^s v and denominators Σ e^s of estimates, in units of the exact denominators, are right in the mean over seeds: the mean
 * over the first and the last half of the rows of each, a column of values at a time.
 *
 * @param precise Largest standard error at which the test tells anything.
 */
export async function assertUnbiased(
  problem: Problem,
  attend: (seed: number) => Promise<HostAttention>,
  { seeds, precise }: { readonly seeds: number; readonly precise: number },
): Promise<void> {
  const exact = await exactAttention(new ReferenceBackend(), problem), { valueFeatures: width } = problem;
  const runs: Float64Array[] = [];
  for (let seed = 0; seed < seeds; seed++) {
    const { output, logSumExp } = await attend(seed), rows = logSumExp.length, half = rows / 2;
    const means = new Float64Array(2 * (width + 1));
    logSumExp.forEach((sum, row) => {
      const mass = Math.exp(sum - exact.logSumExp[row]), into = (row < half ? 0 : 1) * (width + 1);
      means[into] += (mass - 1) / half;
      for (let c = 0; c < width; c++) {
        const at = row * width + c;
        means[into + 1 + c] += (mass * output[at] - exact.output[at]) / half;
      }
    });
    runs.push(means);
  }
  for (let what = 0; what < runs[0].length; what++) {
    const values = runs.map((run) => run[what]), mean = values.reduce((a, b) => a + b) / seeds;
    const variance = values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (seeds - 1);
    const error = Math.sqrt(variance / seeds);
    assertLess(error, precise, `mean ${what}: precise enough to tell`);
    assertLess(Math.abs(mean), MOST * error, `mean ${what}, standard error ${error}`);
  }
}
