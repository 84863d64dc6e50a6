import { attention, type AttentionResult } from "../estimators/attention/attention.ts";
import type { AttentionOptions } from "../estimators/attention/options.ts";
import { makeProblem } from "../estimators/core/problem.ts";
import { type Device, runJob } from "../kernels/device.ts";
import { sizeOf, type Tensor } from "../kernels/tensor.ts";
import { timeInTurn, warmUp } from "../proofs_checks/comparison/time_in_turn.ts";
import { softmaxOperatorNorm } from "../proofs_checks/measures/softmax_norm.ts";
import { operatorNorm } from "../estimators/linear_algebra/operator_norm.ts";
import { relativeOutputError } from "../proofs_checks/measures/spectral.ts";
import { sampleQuantile } from "../proofs_checks/statistics/quantile.ts";
import type { NamedInput } from "../proofs_checks/inputs/family.ts";

/** Measured errors and the time of exact attention. */
export interface Comparison {
  /** Median wall-clock time of exact attention on the same device. */
  readonly exactSeconds: number;
  /** Timed runs behind either median. */
  readonly repeat: number;
  /** Largest over the heads of ‖Att~ − Att‖_op / ‖Att‖_op. */
  readonly relativeErrorOutput: number;
  /** Largest over the heads of ‖Att~ − Att‖_op / (‖P‖_op ‖V‖_op); absent when keys are hidden. */
  readonly relativeErrorProduct?: number;
}

/**
 * Runs a method and exact attention in turn on one device, after a warm-up of each, and measures the error of the
 * one against the other.
 */
export async function compareWithExact(
  { query, key, value }: NamedInput,
  request: AttentionOptions,
  device: Device,
  repeat: number,
  update: (done: number, total: number, what: string) => void,
): Promise<{ result: AttentionResult; comparison: Comparison }> {
  const exactly: AttentionOptions = {
    ...request,
    method: "exact",
    epsilon: undefined,
    tolerance: undefined,
    budget: undefined,
    storage: undefined,
  };
  const run = (options: AttentionOptions) => attention(query, key, value, options);
  const warm = await warmUp(() => run(request));
  const exact = await warmUp(() => run(exactly));
  const [seconds, exactTimes] = await timeInTurn(
    [request, exactly].map((options) => async () => (await run(options)).stats.seconds),
    repeat,
    (round) => update(round, repeat, "timing"),
  );
  update(repeat, repeat, "measuring the error");
  const errors = relativeOutputError(warm.output, exact.output);
  const product = request.causal || request.keyMask ? {} : {
    relativeErrorProduct: await productError(
      { query, key, value },
      errors,
      exact.output,
      request,
      device,
    ),
  };
  return {
    result: { ...warm, stats: { ...warm.stats, seconds: sampleQuantile(seconds, 0.5) } },
    comparison: {
      exactSeconds: sampleQuantile(exactTimes, 0.5),
      repeat,
      relativeErrorOutput: Math.max(...errors),
      ...product,
    },
  };
}

/** Largest over the heads of ‖Att~ − Att‖_op / (‖P‖_op ‖V‖_op). */
async function productError(
  { query, key, value }: { query: Tensor; key: Tensor; value: Tensor },
  errors: readonly number[],
  exact: Tensor,
  request: AttentionOptions,
  device: Device,
): Promise<number> {
  const group = sizeOf(query.shape.slice(0, -2)) / sizeOf(key.shape.slice(0, -2));
  const { scale } = request;
  const problem = makeProblem(query, repeatHeads(key, group), repeatHeads(value, group), { scale });
  const softmaxNorms = await runJob(
    device,
    (backend) => softmaxOperatorNorm(backend, problem, request.signal),
  );
  const { queries, keys, valueFeatures } = problem;
  const normOf = (data: Float32Array, rows: number, head: number) =>
    operatorNorm(
      data.subarray(head * rows * valueFeatures, (head + 1) * rows * valueFeatures),
      rows,
      valueFeatures,
    );
  const products = errors.map((error, head) =>
    error === 0
      ? 0
      : (error * normOf(exact.data, queries, head)) / (softmaxNorms[head] * normOf(problem.value, keys, head))
  );
  return Math.max(...products);
}

/** Every head `times` times in a row, so that each query head has a key head of its own. */
function repeatHeads({ data, shape }: Tensor, times: number): Tensor {
  if (times === 1) return { data, shape };
  const heads = sizeOf(shape.slice(0, -2)), size = data.length / heads;
  const repeated = new Float32Array(data.length * times);
  for (let head = 0; head < heads * times; head++) {
    const from = Math.floor(head / times) * size;
    repeated.set(data.subarray(from, from + size), head * size);
  }
  const axis = shape.length - 3;
  return { data: repeated, shape: shape.map((extent, at) => at === axis ? extent * times : extent) };
}
