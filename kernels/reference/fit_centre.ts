import { type FittedCentre, LEAST_MASS } from "../coreset_primitives.ts";
import type { Arguments } from "../primitives.ts";
import { floats, floatValues } from "./array.ts";
import { innerProduct } from "./attend.ts";
import { membersOfParts } from "./member_of_part.ts";
import type { Steps } from "./steps.ts";

/** One point for all keys of each head, fitted to the probes. */
export function* fitCentre(args: Arguments<"fitCentre">): Steps<FittedCentre> {
  const { heads, features, valueFeatures, probes, scale } = args;
  const key = new Float64Array(heads * features), value = new Float64Array(heads * valueFeatures);
  const logMass = new Float64Array(heads);
  yield { key: floats(key), value: floats(value), logMass: floats(logMass) };
  const query = floatValues(args.query), logSumExp = floatValues(args.logSumExp);
  for (let head = 0; head < heads; head++) {
    const centre = meanKey(args, head);
    key.set(centre, head * features);
    value.set(meanOutput(args, head), head * valueFeatures);
    for (let i = head * probes; i < (head + 1) * probes; i++) {
      const logit = scale * innerProduct(query, i * features, centre, 0, features);
      logMass[head] += (logSumExp[i] - logit) / probes;
    }
    yield;
  }
}

/** The mean of the sampled keys under LEAST_MASS + Σ_i P_ij. */
function meanKey(
  { keys, features, probes, sampled, ...args }: Arguments<"fitCentre">,
  head: number,
): Float64Array {
  const key = floatValues(args.key), probabilities = floatValues(args.probabilities);
  const mean = new Float64Array(features);
  let total = 0;
  for (const j of membersOfParts(keys, sampled)) {
    let mass = LEAST_MASS;
    for (let i = 0; i < probes; i++) mass += probabilities[(head * probes + i) * keys + j];
    total += mass;
    for (let c = 0; c < features; c++) mean[c] += mass * key[(head * keys + j) * features + c];
  }
  return mean.map((x) => x / total);
}

/** The mean output of the probes, drawn towards the mean value as far as each probe's differs from that of the others. */
function meanOutput(
  { probes, valueFeatures: width, ...args }: Arguments<"fitCentre">,
  head: number,
): Float64Array {
  const mean = floatValues(args.mean).subarray(head * width, (head + 1) * width);
  const strays = floatValues(args.output).subarray(head * probes * width, (head + 1) * probes * width)
    .map((x, at) => x - mean[at % width]);
  const sum = new Float64Array(width);
  strays.forEach((x, at) => sum[at % width] += x);
  let cross = 0, square = 0;
  strays.forEach((x, at) => {
    const others = sum[at % width] - x;
    cross += x * others;
    square += others * others;
  });
  const share = square > 0 ? Math.max(0, Math.min(1, (probes - 1) * cross / square)) : 0;
  return mean.map((x, c) => x + share * sum[c] / probes);
}
