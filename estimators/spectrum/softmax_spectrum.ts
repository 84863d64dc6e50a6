import type { DeviceKind } from "../../kernels/backend.ts";
import { checkDevice } from "../../kernels/check_device.ts";
import { checkOptionNames } from "../../kernels/check_options.ts";
import { checkFraction, checkInteger, checkOneOf, checkSignal } from "../../kernels/check_values.ts";
import type { Device } from "../../kernels/device.ts";
import { runOn } from "../../kernels/kept_devices.ts";
import { Purpose, RandomStream } from "../../kernels/random.ts";
import { readTensor, type Tensor, tensor } from "../../kernels/tensor.ts";
import { makeProblem, type Problem, type ProblemOptions } from "../core/problem.ts";
import { rowMean, subtractRow } from "../kde/centred_points.ts";
import { exactSpectrum } from "./exact_spectrum.ts";
import { sampledSpectrum } from "./sampled_spectrum.ts";
import type { SoftmaxSpectrum } from "./spectrum.ts";

/** Ways to find a spectrum. */
export const spectrumMethods = ["exact", "sampled"] as const;

/** Options of {@link softmaxSpectrum}. */
export interface SoftmaxSpectrumOptions extends Pick<ProblemOptions, "scale"> {
  /**
   * "exact" by default: exact products with P and Pᵀ, n_q · n_k logits each. "sampled": some rows of P, with bounds that hold with
   * probability 1 − delta; exact where there are no more rows than that.
   */
  method?: "exact" | "sampled";
  /** How many leading singular values, 1 to 32; 4 by default. */
  leading?: number;
  /** With "exact": upper over lower bound of ‖P‖, less 1, to end at, between 0 and 1; 0.001 by default. */
  tolerance?: number;
  /** With "sampled": rows of P to look at, 4 or more; 512 by default. */
  rows?: number;
  /** With "sampled": probability with which a bound may be false, between 0 and 1; 0.05 by default. */
  delta?: number;
  /** Integer in [0, 2^53); 0 by default. The same seed gives the same result. */
  seed?: number;
  /** An open device, or the kind to use; by default the best there is, opened once and kept. */
  device?: Device | DeviceKind;
  /** Stops the computation; the promise then rejects with its reason. */
  signal?: AbortSignal;
}

const NAMES: readonly (keyof SoftmaxSpectrumOptions)[] = [
  ...["method", "leading", "tolerance", "rows", "delta", "seed", "scale", "device", "signal"] as const,
];
const ACTION = "find a spectrum";

/**
 * Leading singular values, operator norm, Frobenius norm and stable rank of softmax matrices P = D⁻¹ exp(scale · Q Kᵀ), none of which is held:
 * what the guarantees of approximate attention are about. Bounds are those of real numbers, up to rounding: exact products are of single
 * precision. Every key is visible to every query.
 *
 * Source: Backurs, Indyk, Musco and Wagner, "Faster kernel matrix algebra via density estimation" (ICML 2021), for the question;
 * Golub and Van Loan, Matrix Computations, §10.3.6, for block Lanczos iteration; docs/theory.md §7.1 for the bounds.
 *
 * @example
 * ```ts
 * import { softmaxSpectrum, tensor } from "@kdeformer/kdeformer";
 * const zeros = tensor(new Float32Array(6), [3, 2]);
 * const [{ norm, stableRank }] = await softmaxSpectrum(zeros, zeros, { device: "reference" });
 * console.log(norm.lower, stableRank.estimate); // 1 and 1: all rows are alike
 * ```
 *
 * @param query [..., n_q, d]
 * @param key [..., n_k, d]; its heads may be shared by several of the queries
 * @returns One spectrum for each query head, in order.
 * @throws {TypeError} If a shape does not fit, or an option is unknown or of the wrong type.
 * @throws {RangeError} If a value or option is out of range.
 */
export async function softmaxSpectrum(
  query: Tensor,
  key: Tensor,
  options: SoftmaxSpectrumOptions = {},
): Promise<SoftmaxSpectrum[]> {
  checkOptionNames(ACTION, options, NAMES);
  const { method = "exact", leading = 4, tolerance = 1e-3, rows = 512, delta = 0.05, seed = 0 } = options;
  const { scale, device, signal } = options;
  checkOneOf(ACTION, "method", method, spectrumMethods);
  checkInteger(ACTION, "leading", leading, 1, 32);
  checkFraction(ACTION, "tolerance", tolerance);
  checkInteger(ACTION, "rows", rows, 4);
  checkFraction(ACTION, "delta", delta);
  checkInteger(ACTION, "seed", seed, 0);
  if (device !== undefined) checkDevice(ACTION, "device", device);
  if (signal !== undefined) checkSignal(ACTION, "signal", signal);
  const { shape } = readTensor("key", key), noValues = [...shape.slice(0, -1), 1];
  const value = tensor(new Float32Array(noValues.reduce((a, b) => a * b, 1)), noValues);
  const problem = makeProblem(query, key, value, { scale });
  const spectra: SoftmaxSpectrum[] = [];
  for (const [head, own] of headsOf(problem).entries()) {
    const random = new RandomStream(seed, Purpose.krylov, head);
    spectra.push(
      await runOn(
        device,
        signal,
        (backend) =>
          method === "exact" || rows >= own.queries
            ? exactSpectrum(backend, own, { leading, tolerance, random, signal })
            : sampledSpectrum(backend, own, { leading, rows, delta, random, signal }),
      ),
    );
  }
  return spectra;
}

/** A problem for each query head. Keys lie about their mean, which changes no softmax and leaves more digits to the logits. */
function headsOf(problem: Problem): Problem[] {
  const { heads, queries, period, keys, features } = problem, group = queries / period;
  return Array.from({ length: heads * group }, (_, at) => {
    const head = Math.floor(at / group);
    const key = problem.key.subarray(head * keys * features, (head + 1) * keys * features);
    return {
      ...problem,
      heads: 1,
      queries: period,
      query: problem.query.subarray(at * period * features, (at + 1) * period * features),
      key: subtractRow(key, rowMean(key, features)),
    };
  });
}
