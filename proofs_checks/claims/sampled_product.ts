import { squaredNorms } from "../../estimators/kde/log_domain.ts";
import { Purpose, RandomStream } from "../../kernels/random.ts";
import type { Implementation } from "../engine/implementation.ts";
import type { Oracle } from "../measures/oracle.ts";

/** ln of the squared column norms of a matrix [rows, columns]. */
export function logColumnNorms(matrix: Float64Array, columns: number): Float64Array {
  const squared = new Float64Array(columns);
  for (let at = 0; at < matrix.length; at++) squared[at % columns] += matrix[at] ** 2;
  return squared.map(Math.log);
}

/** Algorithm 1's probabilities from exact column norms of P. */
export function idealProbabilities(
  implementation: Implementation,
  { softmax, problem }: Oracle,
): Float64Array {
  const { keys, value, valueFeatures } = problem;
  return implementation.keyProbabilities(logColumnNorms(softmax, keys), squaredNorms(value, valueFeatures));
}

/** Weights Σ 1/(m p_l) of the keys that m draws gave; 0 for those not drawn. */
export function drawnWeights(
  implementation: Implementation,
  probabilities: Float64Array,
  samples: number,
  seed: number,
): Float64Array {
  const { index, logWeights } = implementation.drawKeys(
    probabilities,
    samples,
    new RandomStream(seed, Purpose.sampledProduct),
  );
  const weights = new Float64Array(probabilities.length);
  index.forEach((key, at) => weights[key] = Math.exp(logWeights[at]));
  return weights;
}

/** X diag(weights) V of a matrix X [rows, keys]. */
export function weightedProduct(
  matrix: Float64Array,
  weights: Float64Array,
  { problem: { value, keys, valueFeatures } }: Oracle,
): Float64Array {
  const rows = matrix.length / keys, product = new Float64Array(rows * valueFeatures);
  for (let l = 0; l < keys; l++) {
    if (weights[l] === 0) continue;
    for (let i = 0; i < rows; i++) {
      const mass = weights[l] * matrix[i * keys + l];
      for (let c = 0; c < valueFeatures; c++) {
        product[i * valueFeatures + c] += mass * value[l * valueFeatures + c];
      }
    }
  }
  return product;
}

/** ‖X‖_F² / ‖Y‖², given the norm of Y. */
export function squaredFrobenius(matrix: ArrayLike<number>): number {
  let sum = 0;
  for (let at = 0; at < matrix.length; at++) sum += matrix[at] ** 2;
  return sum;
}
