import type { Backend, DeviceKind } from "../../kernels/backend.ts";
import { runOn } from "../../kernels/kept_devices.ts";
import type { Tensor } from "../../kernels/tensor.ts";
import { centre } from "../core/centred.ts";
import { checkOutput } from "../core/check_output.ts";
import { checkVisibility, makeProblem, type Problem } from "../core/problem.ts";
import { releaseSnapshots } from "../core/snapshot.ts";
import { countVisible } from "../core/visible_pairs.ts";
import { seenRows } from "./density_rows.ts";
import { keyWeights } from "./key_weights.ts";
import { medianBlockAttention } from "./median_block.ts";
import {
  type CheckedRobustOptions,
  checkRobustOptions,
  type RobustAttentionOptions,
  type RobustWeights,
} from "./options.ts";
import { separateDensities, weightedAttention } from "./weighted_attention.ts";

/** How an output of {@link robustAttention} came about. */
export interface RobustAttentionStats {
  /** How keys were weighed. */
  readonly weights: RobustWeights;
  /** The kind of device that ran it. */
  readonly device: DeviceKind;
  /** That device in words. */
  readonly adapter: string;
  /** Kernel values of two keys that were computed, over all heads. */
  readonly kernelEvaluations: number;
  /** Inner products of a query and a key that were computed, over all heads. */
  readonly keyEvaluations: number;
  /** Keys that may be seen and have a weight of 0, over all heads. */
  readonly rejected: number;
  /** Wall-clock time from the checked input to the output on the host. */
  readonly seconds: number;
  /** Why a better device was given up, or null. */
  readonly fellBack: string | null;
  /** The seed of all that was drawn. */
  readonly seed: number;
}

/** What {@link robustAttention} returns. */
export interface RobustAttentionResult {
  /** [..., n_q, d_v] */
  readonly output: Tensor;
  /**
   * [..., n_k], as the key's: what each key weighs, from 0 to 1, the most that a key of its head weighs. Of "median-of-means" the share of
   * queries that attended to the key. 0 for hidden keys.
   */
  readonly weights: Tensor;
  /** How it came about. */
  readonly stats: RobustAttentionStats;
}

/**
 * Softmax attention in which outlying keys weigh less, or nothing: Σ_j ω_j v_j e^(scale ⟨q, k_j⟩) / Σ_j ω_j e^(scale ⟨q, k_j⟩) for every query
 * and head. Attention is an estimate of v at q from kernel densities of keys and values; its weights ω come from a robust form of these.
 * Unless density "separate" is asked for, every row is a mean of values of keys that have a weight. Keys need not be normalised.
 *
 * The weight of a key depends on all keys, so there is no causal order. What stands apart from most keys, be it the sink that a model relies
 * on, counts as an outlier.
 *
 * Source: Han, Ren, Nguyen, Nguyen, Ghosh and Ho, "Designing robust transformers using robust kernel density estimation" (NeurIPS 2023);
 * bandwidth, corners and the common density as in docs/theory.md §10.
 *
 * @example
 * ```ts
 * import { robustAttention, tensor } from "@kdeformer/kdeformer";
 * const q = tensor([1, 1], [2, 1]);
 * const k = tensor([0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 90], [12, 1]);
 * const v = tensor([1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 500], [12, 1]);
 * const { output, weights } = await robustAttention(q, k, v, { device: "reference" });
 * console.log(output.data[0], weights.data[11]); // 1 0
 * ```
 *
 * Values are those at the time of the call.
 *
 * @param query [..., n_q, d]
 * @param key [..., n_k, d]; leading dimensions as the query's, or fewer heads in the last of them (grouped queries)
 * @param value [..., n_k, d_v]; leading dimensions as the key's
 * @throws {TypeError} If shapes do not fit, or an argument is of the wrong type or an option unknown.
 * @throws {RangeError} If a value or option is out of range; it names tensor, row and column. Also if an option is not for the weights asked for.
 * @throws {DeviceUnavailableError} If a device that was asked for cannot be opened.
 * @throws {DeviceLostError} If a device that was asked for stopped working; the next call opens it again.
 * @throws {Error} If the output would not be finite.
 */
export async function robustAttention(
  query: Tensor,
  key: Tensor,
  value: Tensor,
  options: RobustAttentionOptions = {},
): Promise<RobustAttentionResult> {
  const checked = checkRobustOptions(options), { weights: by, seed } = checked;
  const problem = makeProblem(query, key, value, checked), weightShape = key.shape.slice(0, -1);
  checkVisibility(problem);
  checked.signal?.throwIfAborted();
  const { outcome, on, seconds } = await runOn(checked.device, checked.signal, async (backend, on) => {
    const outcome = await compute(backend, problem, checked);
    return { outcome, on, seconds: (performance.now() - on.since) / 1000 };
  });
  const { output, weights, kernelEvaluations, keyEvaluations } = outcome, { outputShape } = problem;
  checkOutput(output, outputShape, `robust attention by ${by} on ${on.kind}`);
  releaseSnapshots([problem.query, problem.key, problem.value]);
  const { kind: device, adapter, fellBack } = on;
  return {
    output: { data: output, shape: outputShape },
    weights: { data: Float32Array.from(weights), shape: weightShape },
    stats: {
      ...{ weights: by, device, adapter, kernelEvaluations, keyEvaluations },
      ...{ rejected: countRejected(problem, weights), seconds, fellBack, seed },
    },
  };
}

interface Outcome {
  readonly output: Float32Array;
  readonly weights: Float64Array;
  readonly kernelEvaluations: number;
  readonly keyEvaluations: number;
}

async function compute(backend: Backend, problem: Problem, checked: CheckedRobustOptions): Promise<Outcome> {
  const { weights: by, density, outlierFraction, seed, signal } = checked;
  const centred = centre(backend, problem);
  if (by === "median-of-means") {
    const { output, shares, keyEvaluations } = await medianBlockAttention(
      backend,
      centred,
      outlierFraction,
      seed,
      signal,
    );
    return { output, weights: shares, kernelEvaluations: 0, keyEvaluations };
  }
  const each = countVisible(problem);
  const own = await keyWeights(backend, problem, density === "keys" ? "keys" : "joint", checked);
  if (density !== "separate") {
    const { output } = await weightedAttention(backend, centred, own.weights, signal);
    return { output, ...own, keyEvaluations: each };
  }
  const marginal = await keyWeights(backend, problem, "keys", checked);
  const output = await separateDensities(backend, centred, own.weights, marginal.weights, signal);
  const kernelEvaluations = own.kernelEvaluations + marginal.kernelEvaluations;
  return { output, weights: own.weights, kernelEvaluations, keyEvaluations: 2 * each };
}

function countRejected({ heads, keys, logWeights }: Problem, weights: Float64Array): number {
  let rejected = 0;
  for (let head = 0; head < heads; head++) {
    for (const row of seenRows(head, keys, logWeights)) if (weights[row] === 0) rejected++;
  }
  return rejected;
}
