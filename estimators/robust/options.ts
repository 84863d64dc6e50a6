import { checkOptionNames } from "../../kernels/check_options.ts";
import { checkInteger, checkNumber, checkOneOf } from "../../kernels/check_values.ts";
import { type AttentionOptions, checkRun, MOST_BUDGET } from "../attention/options.ts";

/** The ways to weigh keys by name. */
export const robustWeights = ["hampel", "huber", "spkde", "median-of-means"] as const;
/** One of {@link robustWeights}. */
export type RobustWeights = typeof robustWeights[number];

/** Options of `robustAttention`. */
export interface RobustAttentionOptions
  extends Pick<AttentionOptions, "scale" | "keyMask" | "device" | "signal"> {
  /** How keys are weighed; "hampel" by default, the only one of them that withstands far outliers at little cost on clean inputs. */
  weights?: RobustWeights;
  /**
   * Largest share of the keys of a head that may be outliers, in (0, 0.5); 0.1 by default. Not for "huber", nor together with `thresholds:
   * "percentiles"`.
   */
  outlierFraction?: number;
  /** Of "hampel": corners by `outlierFraction`, the default, or at percentiles, as in the literature. */
  thresholds?: "fraction" | "percentiles";
  /**
   * What an outlier stands out from: the "joint" density of keys and values, the default, or that of "keys". "separate" is the ratio of
   * both as the paper has it, which is no mean of values. Not for "median-of-means".
   */
  density?: "joint" | "keys" | "separate";
  /** Bandwidth of that density: "median", the default, from distances of keys and of values, or that of "attention", 1/√scale. Not for "median-of-means". */
  bandwidth?: "median" | "attention";
  /** Keys behind the density at each key, from 2 on, for "hampel" and "huber"; all by default, which takes n_k² kernel values. */
  samples?: number;
  /** Integer in [0, 2^53); 0 by default. The same seed gives the same result. */
  seed?: number;
}

/** Every option of {@link RobustAttentionOptions}, and for which weights it is; the compiler keeps the list complete. */
const optionsFor: Readonly<Record<keyof Required<RobustAttentionOptions>, readonly RobustWeights[]>> = {
  scale: robustWeights,
  keyMask: robustWeights,
  device: robustWeights,
  signal: robustWeights,
  weights: robustWeights,
  outlierFraction: ["hampel", "spkde", "median-of-means"],
  thresholds: ["hampel"],
  density: ["hampel", "huber", "spkde"],
  bandwidth: ["hampel", "huber", "spkde"],
  samples: ["hampel", "huber"],
  seed: robustWeights,
};

/** Options after checking, with their defaults. */
export interface CheckedRobustOptions extends Readonly<RobustAttentionOptions> {
  readonly weights: RobustWeights;
  readonly outlierFraction: number;
  readonly thresholds: "fraction" | "percentiles";
  readonly density: "joint" | "keys" | "separate";
  readonly bandwidth: "median" | "attention";
  readonly seed: number;
}

/**
 * Checks options and fills in their defaults. What makes the problem, scale and keyMask, is checked with its tensors.
 *
 * @throws {TypeError} If one is unknown or of the wrong type.
 * @throws {RangeError} If one is out of range, or not for the weights asked for.
 */
export function checkRobustOptions(options: RobustAttentionOptions): CheckedRobustOptions {
  checkOptionNames("attend", options, Object.keys(optionsFor));
  // Each is read once, so that what was checked is what is used.
  const { scale, keyMask, device, signal, samples } = options;
  const { weights = "hampel", outlierFraction = 0.1, thresholds = "fraction" } = options;
  const { density = "joint", bandwidth = "median", seed = 0 } = options;
  checkOneOf("attend", "weights", weights, robustWeights);
  checkOneOf("attend", "thresholds", thresholds, ["fraction", "percentiles"]);
  checkOneOf("attend", "density", density, ["joint", "keys", "separate"]);
  checkOneOf("attend", "bandwidth", bandwidth, ["median", "attention"]);
  checkNumber(
    "attend",
    "outlierFraction",
    outlierFraction,
    "a number above 0 and below 0.5",
    (share) => share > 0 && share < 0.5,
  );
  if (samples !== undefined) checkInteger("attend", "samples", samples, 2, MOST_BUDGET);
  checkInteger("attend", "seed", seed, 0);
  checkRun({ device, signal });
  for (const [name, fits] of Object.entries(optionsFor)) {
    const given = options[name as keyof RobustAttentionOptions];
    if (given === undefined || fits.includes(weights)) continue;
    throw new RangeError(
      `Cannot attend: ${name} is for weights ${fits.join(", ")}: current value of weights is ${weights}`,
    );
  }
  if (thresholds === "percentiles" && options.outlierFraction !== undefined) {
    throw new RangeError(
      `Cannot attend: thresholds "percentiles" take no outlierFraction: current value is ${outlierFraction}`,
    );
  }
  return {
    ...{ scale, keyMask, device, signal, samples },
    ...{ weights, outlierFraction, thresholds, density, bandwidth, seed },
  };
}
