import type { Backend, DeviceKind } from "../../kernels/backend.ts";
import { runOn } from "../../kernels/kept_devices.ts";
import type { Tensor } from "../../kernels/tensor.ts";
import { attendWithin } from "../certified/attend_within.ts";
import type { Certificate } from "../certified/certificate.ts";
import type { Budget } from "../methods/method.ts";
import { approximateMethods, type MethodName } from "../methods/methods.ts";
import { centre } from "../core/centred.ts";
import { checkOutput } from "../core/check_output.ts";
import { attendVisible, runMethod } from "../methods/visible.ts";
import { attendAuto } from "../methods/auto/auto.ts";
import { bestMethod } from "../methods/auto/auto_plan.ts";
import { describeDoubts, type ErrorSums, relativeError, totalOf } from "../methods/held_out.ts";
import type { Progress } from "../core/head_chunks.ts";
import { attendTolerantly } from "../methods/tolerant/tolerant.ts";
import { type AttentionOptions, type CheckedOptions, checkOptions, type StorageFormat } from "./options.ts";
import { checkVisibility, makeProblem, type Problem } from "../core/problem.ts";
import { releaseSnapshots } from "../core/snapshot.ts";

/** How an output came about. */
export interface AttentionStats {
  /** The method that ran, never "auto". */
  readonly method: Exclude<MethodName, "auto">;
  /** The kind of device that ran it. */
  readonly device: DeviceKind;
  /** That device in words. */
  readonly adapter: string;
  /** Inner products of a query and a key that were computed, over all heads; checks included. */
  readonly keyEvaluations: number;
  /** The budget of sampled keys per query that was given to the method; the keys that are left where a certificate merged them; 0 for exact attention. */
  readonly samples: number;
  /** Keys per block; 0 for exact attention. */
  readonly bucketSize: number;
  /** Wall-clock time from the checked input to the output on the host. */
  readonly seconds: number;
  /** How keys and values were held. */
  readonly storage: StorageFormat;
  /** Why a better device or the method asked for was given up, or null. */
  readonly fellBack: string | null;
  /** The seed of the method; `certificate.checkSeed` is that of the check. */
  readonly seed: number;
  /**
   * ‖output − exact output‖ / ‖exact output‖ in Frobenius norm over all heads, as estimated from rows that were computed exactly and
   * had no part in the approximation: no bound, and no certificate. 0 where the output is exact; null where nothing is known.
   */
  readonly estimatedError: number | null;
  /** Rows behind the estimate; how well they tell it depends on how alike the rows of a head are. */
  readonly heldOutRows: number;
  /** What is known of an error that was asked for with `tolerance`: no bound, and no certificate; null without one. */
  readonly target: {
    /** ‖output − exact output‖ / ‖exact output‖ in operator norm that each head may have. */
    readonly tolerance: number;
    /** The estimate, of the head where it is largest; 0 where the output is exact. */
    readonly error: number;
    /** Where an interval of about 95 per cent for it begins. */
    readonly low: number;
    /** Where it ends; it knows nothing of rare rows that no sample has. */
    readonly high: number;
    /** Rows behind it. */
    readonly rows: number;
  } | null;
  /** That the output is of little use, or rough (an error of more than 0.3 of its norm), where the estimate says so, or null. */
  readonly warning: string | null;
}

/** What {@link attention} returns. */
export interface AttentionResult {
  /** [..., n_q, d_v] */
  readonly output: Tensor;
  /** Null when no error was asked for. One of kind "estimate" guarantees nothing. */
  readonly certificate: Certificate | null;
  /** How it came about. */
  readonly stats: AttentionStats;
}

/**
 * Softmax attention: softmax(scale · q kᵀ) v for every head, exactly or approximately.
 *
 * @example
 * ```ts
 * import { attention, tensor } from "@kdeformer/kdeformer";
 * const q = tensor([1, 0], [1, 2]);
 * const k = tensor([1, 0, 0, 1], [2, 2]);
 * const v = tensor([1, 2], [2, 1]);
 * const { output } = await attention(q, k, v, { method: "exact", device: "reference" });
 * console.log(output.shape); // [1, 1]
 * ```
 *
 * Values are those at the time of the call: tensors, mask and options may be changed or used again as soon as it has returned
 * its promise.
 *
 * @param query [..., n_q, d]
 * @param key [..., n_k, d]; leading dimensions as the query's, or fewer heads in the last of them (grouped queries)
 * @param value [..., n_k, d_v]; leading dimensions as the key's
 * @throws {TypeError} If shapes do not fit, or an argument is of the wrong type or an option unknown.
 * @throws {RangeError} If a value or option is out of range; it names tensor, row and column. Also if rounding in f32
 * alone may exceed the epsilon asked for; it names the least that can be promised.
 * @throws {DeviceUnavailableError} If a device that was asked for cannot be opened.
 * @throws {DeviceLostError} If a device that was asked for stopped working; the next call opens it again.
 * @throws {Error} If the output would not be finite.
 */
export async function attention(
  query: Tensor,
  key: Tensor,
  value: Tensor,
  options: AttentionOptions = {},
): Promise<AttentionResult> {
  const checked = checkOptions(options);
  const made = makeProblem(query, key, value, checked), halved = checked.storage === "f16";
  const problem: Problem = halved ? { ...made, halves: made } : made;
  checkVisibility(problem);
  checked.signal?.throwIfAborted();
  const { outcome, on, seconds } = await runOn(checked.device, checked.signal, async (backend, on) => {
    const outcome = await compute(backend, problem, checked);
    return { outcome, on, seconds: (performance.now() - on.since) / 1000 };
  });
  const { output, certificate, keyEvaluations, method, budget, reason } = outcome;
  checkOutput(output, problem.outputShape, `${method} on ${on.kind}`);
  releaseSnapshots([problem.query, problem.key, problem.value]);
  return {
    output: { data: output, shape: problem.outputShape },
    certificate,
    stats: {
      method,
      device: on.kind,
      adapter: on.adapter,
      keyEvaluations,
      samples: budget?.samples ?? 0,
      bucketSize: budget?.bucketSize ?? 0,
      seconds,
      storage: halved && on.kind === "webgpu" ? "f16" : "f32",
      fellBack: on.fellBack ?? reason,
      seed: checked.seed,
      target: outcome.target ?? null,
      ...knownErrors(outcome),
    },
  };
}

/** What there is to tell of the error beside a certificate. */
function knownErrors(
  { method, errors }: Outcome,
): Pick<AttentionStats, "estimatedError" | "heldOutRows" | "warning"> {
  const total = totalOf(errors ?? []);
  return {
    estimatedError: errors ? relativeError(total) : method === "exact" ? 0 : null,
    heldOutRows: total.rows,
    warning: describeDoubts(method, errors ?? []),
  };
}

interface Outcome {
  readonly output: Float32Array;
  readonly certificate: Certificate | null;
  readonly keyEvaluations: number;
  readonly method: Exclude<MethodName, "auto">;
  /** Null when the output is exact. */
  readonly budget: Budget | null;
  readonly reason: string | null;
  readonly target?: AttentionStats["target"];
  /** What rows held out tell of each head. */
  readonly errors?: readonly ErrorSums[];
}

async function compute(
  backend: Backend,
  problem: Problem,
  checked: CheckedOptions,
): Promise<Outcome> {
  const { epsilon, tolerance, projections, signal, onProgress } = checked;
  const { method, bucketSize, samples, budgetGiven, seed, delta, certify, checkSeed } = checked;
  const keysAsGiven = method !== "auto" && method !== "exact" && approximateMethods[method].keysAsGiven;
  const centred = { ...centre(backend, problem), ...keysAsGiven ? { problem } : {} };
  const progress: Progress = { signal, onProgress };
  const given: Budget = { bucketSize, samples, projections, seed };
  if (method === "exact") {
    if (epsilon !== undefined) {
      const request = { epsilon, delta, certify, checkSeed };
      return {
        ...await attendWithin(undefined, backend, centred, request, given, progress),
        method: "exact",
      };
    }
    const { output, keyEvaluations } = await attendVisible(backend, centred.exact, progress);
    return { output, certificate: null, keyEvaluations, method: "exact", budget: null, reason: null };
  }
  if (tolerance !== undefined) {
    const { name, estimate, ...result } = await attendTolerantly(
      backend,
      centred,
      { tolerance, seed },
      progress,
    );
    const target = { tolerance, ...estimate };
    return { ...result, certificate: null, reason: result.note ?? null, method: name, budget: null, target };
  }
  if (epsilon === undefined) {
    const { name, ...result } = method === "auto"
      ? await attendAuto(backend, centred, given, budgetGiven, progress)
      : {
        ...await runMethod(approximateMethods[method], backend, centred.problem, given, progress),
        name: method,
      };
    const ran = { ...result, certificate: null, reason: result.note ?? null };
    if (result.exact) return { ...ran, method: "exact", budget: null };
    const shortened = method === "auto" && name === "calibrated" && !budgetGiven;
    return { ...ran, method: name, budget: shortened ? bestMethod(problem, given).budget : given };
  }
  const { name, budget } = method === "auto" ? bestMethod(problem, given) : { name: method, budget: given };
  const merge = method === "auto" || method === "tilted-tree";
  const request = { epsilon, delta, certify, checkSeed, merge };
  const certified = await attendWithin(approximateMethods[name], backend, centred, request, budget, progress);
  const answered = certified.merged ? "tilted-tree" : name;
  return { ...certified, method: certified.budget ? answered : "exact" };
}
