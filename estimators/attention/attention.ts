import { Device, openDevice } from "../../kernels/device.ts";
import type { DeviceKind } from "../../kernels/backend.ts";
import type { Tensor } from "../../kernels/tensor.ts";
import { exactAttention } from "./exact.ts";
import type { Progress } from "./head_chunks.ts";
import { kdeformerPractical } from "./kdeformer_practical.ts";
import { checkVisibility, makeProblem, type Problem, type ProblemOptions } from "./problem.ts";

/** The methods that {@link attention} knows. */
export const methods = ["auto", "exact", "kdeformer-practical"] as const;
/** One of {@link methods}. */
export type Method = typeof methods[number];

/** Options of {@link attention}. */
export interface AttentionOptions extends ProblemOptions {
  /** How to compute; "auto" by default: whatever meets the request at the least cost. */
  method?: Method;
  /** An open device, or the kind to use; by default the best there is, opened once and kept. */
  device?: Device | DeviceKind;
  /** Error asked for, relative to ‖P‖·‖V‖ in operator norm; in (0, 1). */
  epsilon?: number;
  /** Probability with which the error may exceed epsilon; in (0, 1), 0.05 by default. */
  delta?: number;
  /** Keys per block of kdeformer-practical; 64 by default. */
  bucketSize?: number;
  /** Further keys per query; 128 by default. */
  samples?: number;
  /** Hyperplanes of the hash, 1…24; by default about one bucket per block. */
  projections?: number;
  /** Integer in [0, 2^53); 0 by default. The same seed gives the same result. */
  seed?: number;
  /** Stops the computation; the promise then rejects with its reason. */
  signal?: AbortSignal;
  /** Called with heads done and heads in all. */
  onProgress?: (done: number, total: number) => void;
}

/** What is known about the error of an output. */
export interface Certificate {
  /** Whether the error is at most `target` (with probability 1 − delta unless kind is "exact"). */
  readonly holds: boolean;
  /** The error asked for. */
  readonly epsilon: number;
  /** The probability allowed of a larger error. */
  readonly delta: number;
  /** Upper bound on ‖output − attention‖_op; 0 for exact attention, up to rounding. */
  readonly operatorNormBound: number;
  /** Estimate of the same, not a bound. */
  readonly operatorNormEstimate: number;
  /** The error allowed: epsilon · ‖P‖ · ‖V‖. */
  readonly target: number | null;
  /** Rows of the output that were computed exactly for the check. */
  readonly rowsChecked: number;
  /** What the certificate rests on: a bound, an estimate, or exact computation. */
  readonly kind: "bound" | "estimate" | "exact";
}

/** How an output came about. */
export interface AttentionStats {
  /** The method that ran, never "auto". */
  readonly method: Exclude<Method, "auto">;
  /** The kind of device that ran it. */
  readonly device: DeviceKind;
  /** That device in words. */
  readonly adapter: string;
  /** Inner products of a query and a key that were computed, over all heads. */
  readonly keyEvaluations: number;
  /** The budget of sampled keys per query; 0 for exact attention. */
  readonly samples: number;
  /** Keys per block; 0 for exact attention. */
  readonly bucketSize: number;
  /** Wall-clock time from the checked input to the output on the host. */
  readonly seconds: number;
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
  const choices = checkOptions(options);
  const problem = makeProblem(query, key, value, options);
  checkVisibility(problem);
  options.signal?.throwIfAborted();
  const { method, reason } = chooseMethod(problem, options, choices);
  const device = await deviceFor(options.device);
  const progress: Progress = { signal: options.signal, onProgress: options.onProgress };

  const start = performance.now();
  const { output, keyEvaluations } = await device.run(async (backend) => {
    if (method === "kdeformer-practical") {
      const { bucketSize, samples, seed } = choices;
      const projections = options.projections ?? defaultProjections(problem.keys, bucketSize);
      return await kdeformerPractical(backend, problem, { bucketSize, samples, projections, seed }, progress);
    }
    const { output } = await exactAttention(backend, problem, progress);
    return { output, keyEvaluations: countVisible(problem) };
  });
  const seconds = (performance.now() - start) / 1000;

  const { epsilon, delta = 0.05 } = options;
  return {
    output: { data: output, shape: problem.outputShape },
    certificate: epsilon === undefined ? null : exactCertificate(epsilon, delta),
    stats: {
      method,
      device: device.kind,
      adapter: device.adapter,
      keyEvaluations,
      samples: method === "exact" ? 0 : choices.samples,
      bucketSize: method === "exact" ? 0 : choices.bucketSize,
      seconds,
      fellBack: device.fellBack ?? reason,
      seed: choices.seed,
    },
  };
}

interface Choices {
  readonly bucketSize: number;
  readonly samples: number;
  readonly seed: number;
}

function checkOptions(options: AttentionOptions): Choices {
  const { method = "auto", bucketSize = 64, samples = 128, projections = 1, seed = 0, epsilon, delta } =
    options;
  if (!methods.includes(method)) {
    throw new RangeError(
      `Cannot attend: method must be one of ${methods.join(", ")}: current value is ${method}`,
    );
  }
  checkInteger("bucketSize", bucketSize, 1, 2 ** 30);
  checkInteger("samples", samples, 1, 2 ** 30);
  checkInteger("projections", projections, 1, 24);
  checkInteger("seed", seed, 0, Number.MAX_SAFE_INTEGER);
  checkProbability("epsilon", epsilon);
  checkProbability("delta", delta);
  if (epsilon !== undefined && method === "kdeformer-practical") {
    throw new RangeError(
      "Cannot attend: kdeformer-practical does not bound its error, so epsilon must be left out or method be auto or exact",
    );
  }
  return { bucketSize, samples, seed };
}

function checkInteger(name: string, value: number, least: number, most: number): void {
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new RangeError(
      `Cannot attend: ${name} must be an integer from ${least} to ${most}: current value is ${value}`,
    );
  }
}

function checkProbability(name: string, value: number | undefined): void {
  if (value !== undefined && !(value > 0 && value < 1)) {
    throw new RangeError(`Cannot attend: ${name} must lie between 0 and 1: current value is ${value}`);
  }
}

/** Resolves "auto", and refuses what a method cannot do. */
function chooseMethod(
  problem: Problem,
  { method = "auto", epsilon }: AttentionOptions,
  { bucketSize, samples }: Choices,
): { method: Exclude<Method, "auto">; reason: string | null } {
  const masked = problem.causalOffset !== undefined || problem.logWeights !== undefined;
  if (method === "kdeformer-practical" && masked) {
    throw new RangeError(
      "Cannot attend: kdeformer-practical takes neither causal nor keyMask: use method exact or auto",
    );
  }
  if (method !== "auto") return { method, reason: null };
  if (epsilon !== undefined) {
    return { method: "exact", reason: "exact: no approximate method bounds its error yet" };
  }
  if (masked) return { method: "exact", reason: "exact: causal and keyMask need it" };
  // Sorting and sampling cost about as much as evaluating every key at this size.
  if (bucketSize + samples >= problem.keys / 2) return { method: "exact", reason: null };
  return { method: "kdeformer-practical", reason: null };
}

/** About one bucket per block, so that a block holds rows of few neighbouring buckets. */
function defaultProjections(keys: number, bucketSize: number): number {
  return Math.min(24, Math.max(1, Math.ceil(Math.log2(keys / bucketSize))));
}

/** Pairs of a query and a key that exact attention evaluates. */
function countVisible({ heads, queries, keys, period, causalOffset }: Problem): number {
  if (causalOffset === undefined) return heads * queries * keys;
  return heads * (queries / period) * (period * (causalOffset + 1) + (period * (period - 1)) / 2);
}

function exactCertificate(epsilon: number, delta: number): Certificate {
  const bounds = { operatorNormBound: 0, operatorNormEstimate: 0, target: null, rowsChecked: 0 };
  return { holds: true, epsilon, delta, ...bounds, kind: "exact" };
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
