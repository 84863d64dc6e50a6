import { type AttentionOptions, checkRun } from "./options.ts";
import { centre } from "../core/centred.ts";
import { checkOutput } from "../core/check_output.ts";
import { exactAttention } from "../core/exact.ts";
import { makeProblem } from "../core/problem.ts";
import { releaseSnapshots } from "../core/snapshot.ts";
import { MASKED } from "../../kernels/backend.ts";
import { checkOptionNames } from "../../kernels/check_options.ts";
import { checkNumber } from "../../kernels/check_values.ts";
import { runOn } from "../../kernels/kept_devices.ts";
import type { Tensor } from "../../kernels/tensor.ts";

/** Exact attention over some of the keys, in a form that merges exactly with that over others. */
export interface PartialResult {
  /** [..., n_q, d_v]; 0 in rows that see no key. */
  readonly output: Tensor;
  /** [..., n_q]: ln Σ exp(logit) over the keys seen; −Infinity in rows that see none. */
  readonly logSumExp: Tensor;
}

/** Options of {@link attentionPartial}. */
export interface PartialOptions
  extends Pick<AttentionOptions, "scale" | "keyMask" | "device" | "signal" | "onProgress"> {
  /**
   * For causal attention over a shard: key j of the shard is visible to query i if j <= i + causalOffset. With keys
   * start…end of n_k this is n_k − n_q − start. Any integer will do: one below −n_q hides the whole shard. Left out: every
   * key is visible.
   */
  readonly causalOffset?: number;
}

/** Every option of {@link PartialOptions}: the compiler keeps the list complete. */
const optionNames = Object.keys(
  {
    scale: true,
    keyMask: true,
    device: true,
    signal: true,
    onProgress: true,
    causalOffset: true,
  } satisfies Record<keyof Required<PartialOptions>, true>,
);

/**
 * Exact attention over a shard of the keys. Shards computed anywhere, on other devices or machines, are joined by
 * {@link mergePartials}. Values are those at the time of the call.
 *
 * @example
 * ```ts
 * import { attentionPartial, mergePartials, tensor } from "@kdeformer/kdeformer";
 * const q = tensor([1, 0], [1, 2]);
 * const left = await attentionPartial(q, tensor([1, 0], [1, 2]), tensor([1], [1, 1]), { device: "reference" });
 * const right = await attentionPartial(q, tensor([0, 1], [1, 2]), tensor([2], [1, 1]), { device: "reference" });
 * console.log(mergePartials([left, right]).output.shape); // [1, 1]
 * ```
 *
 * @throws {TypeError} If shapes do not fit, or an argument is of the wrong type or an option unknown.
 * @throws {RangeError} If a value is out of range.
 */
export async function attentionPartial(
  query: Tensor,
  key: Tensor,
  value: Tensor,
  options: PartialOptions = {},
): Promise<PartialResult> {
  checkOptionNames("attend", options, optionNames);
  const { scale, keyMask, device: choice, signal, onProgress, causalOffset } = options;
  checkRun({ device: choice, signal, onProgress });
  if (causalOffset !== undefined) {
    checkNumber("attend", "causalOffset", causalOffset, "an integer", Number.isInteger);
  }
  const made = makeProblem(query, key, value, { scale, keyMask }), { period, keys } = made;
  // Beyond these, an offset shows all keys or none; devices count in 32 bits.
  const clamped = causalOffset === undefined ? undefined : Math.min(keys, Math.max(-period, causalOffset));
  const problem = { ...made, causalOffset: clamped };
  signal?.throwIfAborted();
  const { output, logSumExp } = await runOn(choice, signal, async (backend, { kind }) => {
    const { exact, lift } = centre(backend, problem);
    const { output, logSumExp } = await exactAttention(backend, exact, { signal, onProgress });
    checkOutput(output, problem.outputShape, `exact on ${kind}`);
    return { output, logSumExp: lift(logSumExp) };
  });
  releaseSnapshots([problem.query, problem.key, problem.value]);
  return {
    output: { data: output, shape: problem.outputShape },
    logSumExp: {
      data: logSumExp.map((sum) => sum <= MASKED ? -Infinity : sum),
      shape: problem.outputShape.slice(0, -1),
    },
  };
}
