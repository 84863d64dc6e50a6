import { Purpose, RandomStream } from "../../kernels/random.ts";
import { type Tensor, tensor } from "../../kernels/tensor.ts";
import type { AttentionInput } from "./family.ts";

/**
 * Ways in which outliers are put among the keys of an input.
 *
 * - `aligned`: all look the same: keys along the mean query, values in one direction.
 * - `scattered`: each key along a query of its own, each value in a direction of its own.
 * - `agreeing`: each key along a query of its own, values in one direction.
 * - `far-values`: keys are copies of clean ones, values lie far out in one direction.
 */
export const attacks = ["aligned", "scattered", "agreeing", "far-values"] as const;
/** One of {@link attacks}. */
export type Attack = typeof attacks[number];

/** How far out they lie, in root mean square lengths of the clean keys and of the clean values. */
export interface Strength {
  readonly keys: number;
  readonly values: number;
  /** Values of `far-values`, whose keys tell nothing. */
  readonly farValues: number;
}

/** Longer than all but single keys of real heads, and well within what f32 attention takes. */
export const FAR_OUT: Strength = { keys: 3, values: 4, farValues: 10 };
/** No longer than clean keys and values. */
export const AMONG: Strength = { keys: 1, values: 1, farValues: 1 };

/** Share of the length that keys and values of one kind differ by. */
const JITTER = 0.1;

/** An input with outliers among its keys. */
export interface Contaminated {
  readonly input: AttentionInput;
  /** Places of the outliers among the keys. */
  readonly outliers: Uint32Array;
}

/**
 * Adds outliers at random places to the keys of one head, so that they are a share of all keys then; queries stay what they are.
 *
 * @param share In (0, 1); at least one outlier is added.
 */
export function addOutliers(
  { query, key, value, scale }: AttentionInput,
  attack: Attack,
  share: number,
  seed: number,
  strength: Strength = FAR_OUT,
): Contaminated {
  const [, clean, features] = key.shape, [, , valueFeatures] = value.shape, [, queries] = query.shape;
  const count = Math.max(1, Math.round(clean * share / (1 - share))), all = clean + count;
  const random = new RandomStream(seed, Purpose.data), copies = attack === "far-values";
  const direction = (width: number) => unit(Array.from({ length: width }, () => random.normal()));
  const keyLength = rootMeanSquare(key), valueLength = rootMeanSquare(value);
  const outliers = random.distinct(count, all).sort(), places = new Set(outliers);
  const common = { key: unit(meanRow(query)), value: direction(valueFeatures) };
  const newKey = new Float32Array(all * features), newValue = new Float32Array(all * valueFeatures);
  for (let at = 0, next = 0; at < all; at++) {
    if (!places.has(at)) {
      newKey.set(rowOf(key, next), at * features);
      newValue.set(rowOf(value, next++), at * valueFeatures);
      continue;
    }
    const towards = attack === "aligned" ? common.key : unit(rowOf(query, random.integer(queries)));
    const noise = direction(features), apart = direction(valueFeatures);
    const ownKey = copies
      ? rowOf(key, random.integer(clean))
      : towards.map((x, t) =>
        strength.keys * keyLength * (x + (attack === "aligned" ? JITTER * noise[t] : 0))
      );
    const length = valueLength * (copies ? strength.farValues : strength.values);
    const ownValue = attack === "scattered" ? apart : common.value.map((x, t) => x + JITTER * apart[t]);
    newKey.set(ownKey, at * features);
    newValue.set(ownValue.map((x) => length * x), at * valueFeatures);
  }
  return {
    input: {
      query,
      key: tensor(newKey, [1, all, features]),
      value: tensor(newValue, [1, all, valueFeatures]),
      scale,
    },
    outliers,
  };
}

function rowOf({ data, shape: [, , width] }: Tensor, row: number): Float32Array {
  return data.subarray(row * width, (row + 1) * width);
}

function rootMeanSquare({ data, shape: [, rows] }: Tensor): number {
  return Math.sqrt(data.reduce((sum, x) => sum + x * x, 0) / rows);
}

function meanRow({ data, shape: [, rows, width] }: Tensor): number[] {
  const mean = new Array<number>(width).fill(0);
  data.forEach((x, at) => mean[at % width] += x / rows);
  return mean;
}

/** A vector of length 1 in its direction; along the first axis where it has none. */
function unit(vector: ArrayLike<number>): Float64Array {
  const row = Float64Array.from(vector), length = Math.hypot(...row);
  return length > 0 ? row.map((x) => x / length) : row.fill(1, 0, 1);
}
