import type { HostAttention } from "../../../core/exact.ts";
import type { Problem } from "../../../core/problem.ts";
import { attendChosen } from "../shared/attend_chosen.ts";
import type { CostedHead, Head } from "../shared/each_head.ts";
import { eachRow } from "../shared/each_row.ts";
import type { Round } from "./hash_rounds.ts";

/** What a query makes of the keys of its chunks. */
export interface RoundRules {
  /** Whether a key that a query meets in several rounds counts as often, as in the public codes, or once, as in the paper. */
  readonly repeats: boolean;
  /** Whether a query leaves its own position out, unless it sees no other: the rule of language models. */
  readonly others: boolean;
}

/** Each query attends to the keys of its own chunk and of the one before it, of all rounds, under one softmax. */
export async function attendRounds(
  { features: width, valueFeatures, scale }: Pick<Problem, "features" | "valueFeatures" | "scale">,
  { query, key, value }: Head,
  rounds: readonly Round[],
  { repeats, others }: RoundRules,
  signal?: AbortSignal,
): Promise<CostedHead> {
  const rows = rounds[0].order.length;
  const result: HostAttention = {
    output: new Float32Array(rows * valueFeatures),
    logSumExp: new Float32Array(rows),
  };
  // How often the query at work has met each key.
  const met = new Uint8Array(rows), index = new Uint32Array(rows);
  const logits = new Float64Array(rows), logWeights = new Float64Array(rows);
  let keyEvaluations = 0;
  await eachRow(rows, signal, (row) => {
    let count = 0;
    for (const { order, chunk, starts } of rounds) {
      const chunks = starts.length - 1, own = chunk[row], before = (own + chunks - 1) % chunks;
      for (const at of own === before ? [own] : [own, before]) {
        for (let place = starts[at]; place < starts[at + 1]; place++) {
          const j = order[place];
          if (met[j]++ === 0) index[count++] = j;
        }
      }
    }
    const own = query.subarray(row * width, (row + 1) * width);
    let kept = 0;
    for (let at = 0; at < count; at++) {
      const j = index[at], times = met[j];
      met[j] = 0;
      if (others && j === row && count > 1) continue;
      let product = 0;
      for (let c = 0, from = j * width; c < width; c++) product += own[c] * key[from + c];
      index[kept] = j;
      logits[kept] = scale * product;
      logWeights[kept++] = repeats ? Math.log(times) : 0;
    }
    keyEvaluations += kept;
    const into = result.output.subarray(row * valueFeatures, (row + 1) * valueFeatures);
    result.logSumExp[row] = attendChosen({ count: kept, index, logits, logWeights }, value, into);
  });
  return { ...result, keyEvaluations };
}
