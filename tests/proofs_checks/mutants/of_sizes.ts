import { shipped } from "../../../proofs_checks/engine/implementation.ts";
import { type Mutant, mutant } from "./make_mutant.ts";

/** Samples that are too few, by a factor that no error of an estimate shows, or weigh wrongly. */
export const sizeMutants: readonly Mutant[] = [
  mutant("a uniform sample for a quarter more error", "sample-sizes", "uniform-sample", {
    uniformSampleSize: (epsilon, ...rest) => shipped.uniformSampleSize(1.25 * epsilon, ...rest),
  }),
  mutant("a median of two groups fewer", "sample-sizes", "median-of-means", {
    planMedianOfMeans: (...args) => {
      const { groups, perGroup } = shipped.planMedianOfMeans(...args);
      return { groups: Math.max(1, groups - 2), perGroup };
    },
  }),
  mutant("a tenth of the samples of Bernstein's inequality left out", "sample-sizes", "matrix-bernstein", {
    bernsteinSamples: (terms) => Math.ceil(0.9 * shipped.bernsteinSamples(terms)),
  }),
  mutant("densities asked for with all of δ", "sample-sizes", "algorithm-1", {
    kdeformer: (backend, problem, { fit, ...target }, ...rest) =>
      shipped.kdeformer(backend, problem, {
        ...target,
        fit: (own, points, features, asked, bandwidth) =>
          fit(own, points, features, { ...asked, delta: target.delta }, bandwidth),
      }, ...rest),
  }),
  mutant("δ not shared by guesses", "sample-sizes", "first-guess", {
    // As if there were four times as many guesses as are told.
    densityFit: (method) => (backend, points, features, target, bandwidth) =>
      shipped.densityFit(method)(backend, points, features, {
        ...target,
        delta: Math.min(0.99, 4 * target.delta),
      }, bandwidth),
  }),
  mutant("residual weights that count the draws of sure keys too", "residual-draws-unbiased", "sink-key", {
    sampleResidual: (importance, samples, stream) => {
      const { index, weights } = shipped.sampleResidual(importance, samples, stream);
      const sure = weights.filter((weight) => weight === 1).length, share = (samples - sure) / samples;
      return { index, weights: weights.map((weight) => weight === 1 ? 1 : weight * share) };
    },
  }),
  mutant("column norms that are not squared", "key-probabilities", "sink-key", {
    keyProbabilities: (logColumns, values) =>
      shipped.keyProbabilities(logColumns.map((log) => log / 2), values),
  }),
  mutant("probabilities without the value half", "key-probabilities", "rare-value", {
    keyProbabilities: (logColumns, values) => shipped.keyProbabilities(logColumns, values.map(() => 0)),
  }),
];
