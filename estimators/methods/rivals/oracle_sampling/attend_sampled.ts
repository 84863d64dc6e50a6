import type { Backend } from "../../../../kernels/backend.ts";
import { Purpose, RandomStream } from "../../../../kernels/random.ts";
import type { Problem } from "../../../core/problem.ts";
import { attendChosen } from "../shared/attend_chosen.ts";
import type { CostedHead, Head } from "../shared/each_head.ts";
import { eachRow } from "../shared/each_row.ts";
import { logitRows } from "../shared/logit_rows.ts";
import { softmax } from "../shared/softmax.ts";
import { prioritySample } from "./priority_sample.ts";

/** How a priority sample of a query's keys answers it. */
export interface SamplingOptions {
  /** Keys of each sample. */
  readonly most: number;
  /** Whether what is sampled is divided by the sum of all weights, which makes it unbiased, in place of its own weights. */
  readonly exactDenominator: boolean;
}

/** Attention of each query to a priority sample of all keys, drawn for it alone. */
export async function attendSampled(
  backend: Backend,
  { at, query, key, value }: Head,
  { queries, keys, features, valueFeatures, scale }: Problem,
  { most, exactDenominator }: SamplingOptions,
  seed: number,
  signal?: AbortSignal,
): Promise<CostedHead> {
  const output = new Float32Array(queries * valueFeatures), logSumExp = new Float32Array(queries);
  const rows = { data: query, count: queries }, directions = { data: key, count: keys };
  const stretches = logitRows(backend, rows, directions, features, scale, signal);
  for await (const { first, rows, logitsOf } of stretches) {
    await eachRow(rows, signal, (i) => {
      const row = first + i, random = new RandomStream(seed, Purpose.choice, at * queries + row);
      const logits = logitsOf(i);
      const own = output.subarray(row * valueFeatures, (row + 1) * valueFeatures);
      logSumExp[row] = attendChosen(prioritySample(logits, most, random), value, own);
      if (!exactDenominator) return;
      const exact = softmax((j) => logits[j], new Float64Array(keys)),
        factor = Math.exp(logSumExp[row] - exact);
      for (let c = 0; c < valueFeatures; c++) own[c] *= factor;
      logSumExp[row] = exact;
    });
  }
  return { output, logSumExp, keyEvaluations: queries * keys };
}
