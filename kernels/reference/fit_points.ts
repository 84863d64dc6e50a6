import { EMPTY } from "../backend.ts";
import { type FittedPoints, LEAST_MASS, LEAST_TOTAL } from "../coreset_primitives.ts";
import type { Arguments } from "../primitives.ts";
import { floats, floatValues, wordValues } from "./array.ts";
import { innerProduct } from "./attend.ts";
import type { Steps } from "./steps.ts";

/** One weighted point for each cluster of keys, fitted to softmax rows of the probes. */
export function* fitPoints(args: Arguments<"fitPoints">): Steps<FittedPoints> {
  const { heads, keys, features, valueFeatures, probes, most } = args;
  const key = new Float64Array(heads * most * features);
  const value = new Float64Array(heads * most * valueFeatures);
  const logMass = new Float64Array(heads * most).fill(EMPTY);
  const logits = new Float64Array(heads * probes * most).fill(EMPTY);
  yield { key: floats(key), value: floats(value), logMass: floats(logMass), logits: floats(logits) };
  for (let head = 0; head < heads; head++) {
    const labels = wordValues(args.labels).subarray(head * keys, (head + 1) * keys);
    const members: number[][] = Array.from({ length: wordValues(args.clusters)[head] }, () => []);
    labels.forEach((label, j) => members[label].push(j));
    for (const [s, cluster] of members.entries()) {
      yield;
      const point = fitPoint(args, head, cluster);
      key.set(point.key, (head * most + s) * features);
      value.set(point.value, (head * most + s) * valueFeatures);
      logMass[head * most + s] = point.logMass;
      point.logits.forEach((logit, i) => logits[(head * probes + i) * most + s] = logit);
    }
  }
}

function fitPoint(args: Arguments<"fitPoints">, head: number, members: readonly number[]) {
  const { keys, features, valueFeatures, probes, fitted, even, otherWeight, scale } = args;
  const query = floatValues(args.query), logSumExp = floatValues(args.logSumExp);
  const probabilities = floatValues(args.probabilities);
  const weight = (i: number) => i < even ? 1 : otherWeight;
  const columns = members.map((j) =>
    Float64Array.from({ length: fitted }, (_, i) => probabilities[(head * probes + i) * keys + j])
  );
  const masses = columns.map((column) =>
    column.reduce((mass, probability, i) => mass + weight(i) * probability, LEAST_MASS)
  );
  const rowOf = (j: number) => head * keys + j;
  const key = weightedMean(floatValues(args.key), features, members.map(rowOf), masses);
  const logits = Float64Array.from(
    { length: probes },
    (_, i) => scale * innerProduct(query, (head * probes + i) * features, key, 0, features),
  );
  const ratios = Float64Array.from({ length: fitted }, (_, i) => logits[i] - logSumExp[head * probes + i]);
  const largest = ratios.reduce((a, b) => Math.max(a, b));
  const exponentials = ratios.map((ratio) => Math.exp(ratio - largest));
  const sum = exponentials.reduce((sum, x, i) => sum + weight(i) * x, 0);
  const square = exponentials.reduce((sum, x, i) => sum + weight(i) * x * x, 0);
  const own = columns.map((column) =>
    column.reduce((sum, probability, i) => sum + weight(i) * exponentials[i] * probability, 0) / square
  );
  const total = own.reduce((a, b) => a + b, 0), matched = total > LEAST_TOTAL;
  const mass = matched ? total : masses.reduce((a, b) => a + b, 0) / sum;
  const logMass = Math.log(mass) - largest;
  const value = weightedMean(
    floatValues(args.value),
    valueFeatures,
    members.map(rowOf),
    matched ? own : masses,
  );
  return { key, value, logMass, logits: logits.map((logit) => logit + logMass) };
}

function weightedMean(
  rows: Float64Array,
  width: number,
  picks: readonly number[],
  weights: readonly number[],
): Float64Array {
  const mean = new Float64Array(width), total = weights.reduce((a, b) => a + b, 0);
  picks.forEach((row, at) => {
    for (let c = 0; c < width; c++) mean[c] += weights[at] * rows[row * width + c] / total;
  });
  return mean;
}
