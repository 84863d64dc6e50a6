import type { FittedSlope } from "../coreset_primitives.ts";
import type { Arguments } from "../primitives.ts";
import { times } from "./add_linear.ts";
import { floats, floatValues, wordValues } from "./array.ts";
import { membersOfParts } from "./member_of_part.ts";
import type { Steps } from "./steps.ts";

/** The linear function of the query that fitted points leave out. */
export function* fitSlope(args: Arguments<"fitSlope">): Steps<FittedSlope> {
  const { heads, features, valueFeatures: width, probes, fitted, even, otherWeight } = args;
  const slope = new Float64Array(heads * features * width), offset = new Float64Array(heads * width);
  const output = new Float64Array(heads * probes * width);
  yield { slope: floats(slope), offset: floats(offset), output: floats(output) };
  output.set(floatValues(args.exact));
  const query = floatValues(args.query);
  const weights = Float64Array.from({ length: fitted }, (_, i) => i < even ? 1 : otherWeight);
  const total = weights.reduce((a, b) => a + b, 0);
  for (let head = 0; head < heads; head++) {
    const moment = yield* crossMoment(args, head, weights.map((weight) => weight / total));
    const linear = Array.from({ length: probes }, (_, i) => {
      const row = query.subarray((head * probes + i) * features, (head * probes + i + 1) * features);
      return times(row, moment, width);
    });
    const mean = new Float64Array(width);
    weights.forEach((weight, i) => linear[i].forEach((x, c) => mean[c] += weight * x / total));
    const centred = linear.map((row) => row.map((x, c) => x - mean[c]));
    const factor = leastFactor(args, head, centred, weights);
    slope.set(moment.map((x) => factor * x), head * features * width);
    offset.set(mean.map((x) => -factor * x), head * width);
    centred.forEach((row, i) => row.forEach((x, c) => output[(head * probes + i) * width + c] -= factor * x));
  }
}

/** scale · Σ_j p_j (k_j − κ)(v_j − z)ᵀ over the sampled keys of a head, [features, valueFeatures]. */
function* crossMoment(
  args: Arguments<"fitSlope">,
  head: number,
  weights: Float64Array,
): Generator<undefined, Float64Array, void> {
  const { keys, features, valueFeatures: width, probes, most, scale, sampled } = args;
  const key = floatValues(args.key), value = floatValues(args.value);
  const pointKey = floatValues(args.points.key), pointValue = floatValues(args.points.value);
  const probabilities = floatValues(args.probabilities), labels = args.labels && wordValues(args.labels);
  const moment = new Float64Array(features * width), every = Math.ceil(keys / sampled);
  for (const j of membersOfParts(keys, sampled)) {
    yield;
    const row = head * keys + j, point = head * most + (labels?.[row] ?? 0);
    const share = weights.reduce((sum, w, i) => sum + w * probabilities[(head * probes + i) * keys + j], 0);
    for (let a = 0; a < features; a++) {
      const stray = scale * every * share * (key[row * features + a] - pointKey[point * features + a]);
      for (let c = 0; c < width; c++) {
        moment[a * width + c] += stray * (value[row * width + c] - pointValue[point * width + c]);
      }
    }
  }
  return moment;
}

/** The factor in [0, 1] that brings the function closest to what is left, the least over leaving out one probe. */
function leastFactor(
  { probes, most, valueFeatures: width, ...args }: Arguments<"fitSlope">,
  head: number,
  centred: readonly Float64Array[],
  weights: Float64Array,
): number {
  const exact = floatValues(args.exact), pointValue = floatValues(args.points.value);
  const approximate = args.approximate && floatValues(args.approximate);
  const cross = weights.map((weight, i) =>
    centred[i].reduce((sum, x, c) => {
      const at = (head * probes + i) * width + c;
      return sum + weight * x * (exact[at] - (approximate?.[at] ?? pointValue[head * most * width + c]));
    }, 0)
  );
  const square = weights.map((weight, i) => centred[i].reduce((sum, x) => sum + weight * x * x, 0));
  const allCross = cross.reduce((a, b) => a + b, 0), allSquare = square.reduce((a, b) => a + b, 0);
  return cross.reduce((least, own, i) => {
    const others = allSquare - square[i];
    return Math.min(least, others > 0 ? Math.max(0, (allCross - own) / others) : 0);
  }, 1);
}
