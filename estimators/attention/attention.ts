import { Device, openDevice, runOn } from "../../kernels/device.ts";
import type { Backend, DeviceKind } from "../../kernels/backend.ts";
import type { Tensor } from "../../kernels/tensor.ts";
import { attendWithin } from "../certified/attend_within.ts";
import { type Certificate, exactCertificate } from "../certified/certificate.ts";
import { approximateAttention, type Budget, countVisible, type Method } from "../methods/visible.ts";
import { calibrated } from "../methods/calibrated/calibrated.ts";
import { bestMethod } from "../methods/auto.ts";
import { exactAttention } from "../core/exact.ts";
import type { Progress } from "../core/head_chunks.ts";
import { kdeformerAtBudget } from "../methods/kdeformer/kdeformer_at_budget.ts";
import { kdeformerPractical } from "../methods/kdeformer_practical/kdeformer_practical.ts";
import { kdeformerResidual } from "../methods/kdeformer_residual/kdeformer_residual.ts";
import {
  type AttentionOptions,
  type CheckedOptions,
  checkOptions,
  type MethodName,
  type StorageFormat,
} from "./options.ts";
import { checkVisibility, makeProblem, type Problem } from "../core/problem.ts";
import { routed } from "../methods/routed/routed.ts";

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
  /** The budget of sampled keys per query that was given to the method; 0 for exact attention. */
  readonly samples: number;
  /** Keys per block; 0 for exact attention. */
  readonly bucketSize: number;
  /** Wall-clock time from the checked input to the output on the host. */
  readonly seconds: number;
  /** How keys and values were held. */
  readonly storage: StorageFormat;
  /** Why a better device or the method asked for was given up, or null. */
  readonly fellBack: string | null;
  /** The seed that repeats it. */
  readonly seed: number;
}

/** What {@link attention} returns. */
export interface AttentionResult {
  /** [..., n_q, d_v] */
  readonly output: Tensor;
  /** Null when no error was asked for. */
  readonly certificate: Certificate | null;
  /** How it came about. */
  readonly stats: AttentionStats;
}

/** The approximate methods by name. */
const approximateMethods: Readonly<Record<Exclude<MethodName, "auto" | "exact">, Method>> = {
  "kdeformer": kdeformerAtBudget,
  "kdeformer-residual": kdeformerResidual,
  "kdeformer-practical": kdeformerPractical,
  "calibrated": calibrated,
  "routed": routed,
};

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
 * @param query [..., n_q, d]
 * @param key [..., n_k, d]; leading dimensions as the query's, or fewer heads in the last of them (grouped queries)
 * @param value [..., n_k, d_v]; leading dimensions as the key's
 * @throws {TypeError} If shapes do not fit.
 * @throws {RangeError} If a value or option is out of range; it names tensor, row and column.
 * @throws {DeviceLostError} If a device that was asked for stopped working.
 */
export async function attention(
  query: Tensor,
  key: Tensor,
  value: Tensor,
  options: AttentionOptions = {},
): Promise<AttentionResult> {
  const checked = checkOptions(options);
  const made = makeProblem(query, key, value, options), halved = checked.storage === "f16";
  const problem: Problem = halved ? { ...made, halves: made } : made;
  checkVisibility(problem);
  options.signal?.throwIfAborted();
  const device = await deviceFor(options.device);

  const start = performance.now();
  const outcome = await runOn(device, (backend) => compute(backend, problem, options, checked));
  const seconds = (performance.now() - start) / 1000;
  const { output, certificate, keyEvaluations, method, budget, reason } = outcome;
  return {
    output: { data: output, shape: problem.outputShape },
    certificate,
    stats: {
      method,
      device: device.kind,
      adapter: device.adapter,
      keyEvaluations,
      samples: budget?.samples ?? 0,
      bucketSize: budget?.bucketSize ?? 0,
      seconds,
      storage: halved && device.kind === "webgpu" ? "f16" : "f32",
      fellBack: device.fellBack ?? reason,
      seed: checked.seed,
    },
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
}

async function compute(
  backend: Backend,
  problem: Problem,
  { epsilon, projections, signal, onProgress }: AttentionOptions,
  { method, bucketSize, samples, seed, delta, certify }: CheckedOptions,
): Promise<Outcome> {
  const progress: Progress = { signal, onProgress };
  const given: Budget = { bucketSize, samples, projections, seed };
  // A budget of this size saves too little to be worth an error.
  const pointless = method === "auto" && epsilon === undefined && bucketSize + samples >= problem.keys / 2;
  if (method === "exact" || pointless) {
    const { output } = await exactAttention(backend, problem, progress);
    const certificate = epsilon === undefined ? null : exactCertificate(epsilon, delta);
    const keyEvaluations = countVisible(problem);
    return { output, certificate, keyEvaluations, method: "exact", budget: null, reason: null };
  }
  if (epsilon === undefined) {
    const { name, budget } = method === "auto" ? bestMethod(problem, given) : { name: method, budget: given };
    const result = await approximateAttention(approximateMethods[name], backend, problem, budget, progress);
    return { ...result, certificate: null, method: name, budget, reason: null };
  }
  const name = method === "auto" ? bestMethod(problem, given).name : method;
  const request = { epsilon, delta, certify };
  const certified = await attendWithin(approximateMethods[name], backend, problem, request, given, progress);
  return { ...certified, method: certified.budget ? name : "exact" };
}

/** Devices opened for callers who brought none, by kind; opened once and kept. */
const kept = new Map<DeviceKind | "best", Promise<Device>>();

/** The device that a caller's `device` option stands for. */
export function deviceFor(choice?: Device | DeviceKind): Promise<Device> {
  if (choice instanceof Device) return Promise.resolve(choice);
  const kind = choice ?? "best";
  let device = kept.get(kind);
  if (!device) {
    device = openDevice({ prefer: choice });
    kept.set(kind, device);
    device.catch(() => kept.delete(kind));
  }
  return device;
}
