import type { Problem } from "../../../estimators/core/problem.ts";
import { exactAttention } from "../../../estimators/core/exact.ts";
import { kernelNames } from "../../../estimators/kde/kernels.ts";
import type { Enclosed } from "../../../estimators/spectrum/spectrum.ts";
import type { Implementation } from "../../../proofs_checks/engine/implementation.ts";
import { shipped } from "../../../proofs_checks/engine/implementation.ts";
import { hostPractical } from "./host_practical.ts";
import { methodMutant, type Mutant, mutant } from "./make_mutant.ts";
import { certificateMutants } from "./of_certificates.ts";
import { headMutants } from "./of_heads.ts";
import { samplingMutants } from "./of_sampling.ts";
import { sizeMutants } from "./of_sizes.ts";
import {
  evenWeights,
  forwardGray,
  hashNotCentred,
  heaviestMissed,
  massesLeftOut,
  scaleBoundSampling,
  unshiftedMerge,
  weightsLeftOut,
  zeroCalibration,
} from "./kernels.ts";

import {
  centresOfFirstHead,
  entryTwice,
  keysNotTilted,
  lastEntryMissing,
  lastKeyDropped,
  oneKeyFurther,
  oneKeyTooMany,
  spreadOfNothing,
  valuesNotTilted,
  valuesOnGrid,
  varianceTakenOff,
} from "./tree_kernels.ts";

const host = hostPractical("none");

function hostMutant(fault: Parameters<typeof hostPractical>[0], claim: string, family: string): Mutant {
  return {
    ...mutant(fault, claim, family, {
      methods: { ...shipped.methods, "kdeformer-practical": hostPractical(fault) },
    }),
    sound: { ...shipped, methods: { ...shipped.methods, "kdeformer-practical": host } },
  };
}

/** Robust attention with other options than those asked for. */
function otherOptions(options: Parameters<Implementation["robustAttention"]>[3]): Partial<Implementation> {
  return { robustAttention: (q, k, v, asked) => shipped.robustAttention(q, k, v, { ...asked, ...options }) };
}

const withoutMask: Implementation["attendInOrder"] = (backend, problem, ...rest) =>
  shipped.attendInOrder(backend, { ...problem, logWeights: undefined }, ...rest);

/** The first half of the keys, all that a careless thinning may leave. */
function firstHalf(problem: Problem): Problem {
  const keys = Math.ceil(problem.keys / 2), { key, value, features, valueFeatures } = problem;
  return {
    ...problem,
    keys,
    key: key.subarray(0, keys * features),
    value: value.subarray(0, keys * valueFeatures),
  };
}

/** The mutants. */
export const mutants: readonly Mutant[] = [
  ...sizeMutants,
  ...headMutants,
  ...samplingMutants,
  ...certificateMutants,
  mutant("Gray code applied forwards", "gray-order", "all-patterns", { kernels: forwardGray }),
  mutant("keys hashed without their mean taken off", "invariance-key-shift", "gaussian", {
    kernels: hashNotCentred,
  }),
  mutant("sampler that weights all samples alike", "key-sampling-unbiased", "sink-key", {
    kernels: evenWeights,
  }),
  mutant("sampler that never draws the heaviest key", "key-sampling-unbiased", "sink-key", {
    kernels: heaviestMissed,
  }),
  mutant("log-sum-exp merge without a shift", "merge-identity", "huge-logits", { kernels: unshiftedMerge }),
  mutant("sampling bound to the scale of values", "invariance-value-scale", "gaussian", {
    kernels: scaleBoundSampling,
  }),
  mutant("parts merged as if they weighed alike", "merge-identity", "gaussian", {
    mergePartials: (parts) =>
      shipped.mergePartials(
        parts.map((part) => ({
          ...part,
          logSumExp: { ...part.logSumExp, data: part.logSumExp.data.map(() => 0) },
        })),
      ),
  }),
  mutant("lift that forgets the weights", "lift-identity", "gaussian", {
    liftWeights: (rows, features, logWeights) =>
      shipped.liftWeights(rows, features, Float64Array.from(logWeights, (log) => log > -Infinity ? 0 : log)),
  }),
  mutant("repeated draws counted once", "product-unbiased", "sink-key", {
    drawKeys(probabilities, samples, stream) {
      const { index } = shipped.drawKeys(probabilities, samples, stream);
      return {
        index,
        logWeights: Float32Array.from(index, (key) => -Math.log(samples * probabilities[key])),
      };
    },
  }),
  mutant("draws weighted as if they were even", "product-unbiased", "sink-key", {
    drawKeys(probabilities, samples, stream) {
      const { index, logWeights } = shipped.drawKeys(probabilities, samples, stream);
      const even = Math.log(probabilities.length);
      return {
        index,
        logWeights: logWeights.map((log, at) => log + Math.log(probabilities[index[at]]) + even),
      };
    },
  }),
  mutant("probabilities without column norms", "column-norm-sampling", "sink-key", {
    keyProbabilities: (columns, values) => shipped.keyProbabilities(columns.map(() => 0), values),
  }),
  mutant("samples without the stable rank", "product-bound", "permutation-softmax", {
    bernsteinSamples: (terms) =>
      Math.ceil(shipped.bernsteinSamples({ ...terms, stableRank: 1, looseness: 1 }) / 8),
  }),
  mutant("row sums of one factor too many", "row-sums", "gaussian", {
    async kdeformer(...args) {
      const result = await shipped.kdeformer(...args);
      const heads = result.heads.map((head) => ({
        ...head,
        logRowSums: head.logRowSums.map((log) => log + 0.5),
      }));
      return { ...result, heads };
    },
  }),
  mutant("output not divided by D~", "spectral-guarantee", "sink-key", {
    async kdeformer(...args) {
      const result = await shipped.kdeformer(...args), width = args[1].valueFeatures, { queries } = args[1];
      const output = result.output.map((x, at) =>
        x * Math.exp(result.logSumExp[Math.floor(at / width)]) / queries
      );
      return { ...result, output };
    },
  }),
  mutant("density over found points only", "density-unbiased-hashing-based", "gaussian", {
    async densityDraw(...args) {
      const found = await shipped.densityDraw(...args);
      return { ...found, density: found.density.map((x) => 2 * x) };
    },
  }),
  ...kernelNames.map((kernel) => kernel === "gaussian" ? "" : `-${kernel}`).flatMap((suffix) => [
    mutant("kernel three times as wide", `kernel-sum${suffix}`, "gaussian", {
      kernelSum: (points, options) => shipped.kernelSum(points, { ...options, bandwidth: 3 }),
    }),
    mutant("weights forgotten", `kernel-product${suffix}`, "clustered", {
      kernelProduct: (points, vector, options) =>
        shipped.kernelProduct(points, Array.from(vector, () => 1), options),
    }),
    mutant("each point counted twice", `top-eigenvalue${suffix}`, "gaussian", {
      async topEigenpair(...args) {
        const pair = await shipped.topEigenpair(...args);
        return { ...pair, value: 2 * pair.value };
      },
    }),
  ]),
  mutant("certificate without a confidence radius", "certificate-spoilt-rows", "gaussian", {
    async certify(...args) {
      const { certificate, head } = await shipped.certify(...args),
        { operatorNormEstimate, target } = certificate;
      return { certificate: { ...certificate, holds: operatorNormEstimate <= target! }, head };
    },
  }),
  mutant("cells as wide as if values lay five times closer together", "merged-keys-bound", "equal-queries", {
    attendMerged: (backend, problem, values, ...rest) =>
      shipped.attendMerged(
        backend,
        problem,
        values.map((own) => ({ ...own, radius: own.radius / 5 })),
        ...rest,
      ),
  }),
  mutant("cells that weigh the same, however many keys they have", "merged-keys-bound", "clustered", {
    kernels: weightsLeftOut,
  }),
  mutant("keys that are not merged", "merged-keys-certified", "gaussian", {
    attendMerged: () => Promise.resolve(undefined),
  }),
  mutant("norm of a wide softmax matrix taken to be at least 1", "softmax-norm-kernels", "shape-one-query", {
    softmaxOperatorNorm: async (...args) =>
      (await shipped.softmaxOperatorNorm(...args)).map((norm) => Math.max(1, norm)),
  }),
  mutant("logits a tenth too large", "softmax-spectrum", "gaussian", {
    softmaxSpectrum: (query, key, options) =>
      shipped.softmaxSpectrum(query, key, { ...options, scale: 1.1 * options!.scale! }),
  }),
  mutant("estimates in the place of bounds", "softmax-spectrum-sampled", "clustered", {
    async softmaxSpectrum(...args) {
      const spectra = await shipped.softmaxSpectrum(...args);
      const narrow = ({ estimate }: Enclosed) => ({ lower: estimate, estimate, upper: estimate });
      return spectra.map((own) => ({
        ...own,
        norm: narrow(own.norm),
        squaredFrobenius: narrow(own.squaredFrobenius),
      }));
    },
  }),
  mutant("last key left out", "exact-attention", "gaussian", {
    exactAttention: (backend, problem, progress) =>
      exactAttention(backend, { ...problem, keys: problem.keys - 1 }, progress),
  }),
  mutant("calibrated values that a kernel leaves at zero", "calibrated-error", "low-rank", {
    kernels: zeroCalibration,
  }),
  mutant("practical KDEformer in the place of the calibrated coreset", "calibrated-error", "low-rank", {
    methods: { ...shipped.methods, calibrated: shipped.methods["kdeformer-practical"] },
  }),
  mutant("masses of entries left out", "tilted-error", "cluster-imbalance", { kernels: massesLeftOut }),
  mutant("half the variance taken off", "tree-masses", "gaussian", { kernels: varianceTakenOff }),
  mutant("last key of every list without weight", "tree-masses", "gaussian", { kernels: lastKeyDropped }),
  mutant("first entry of a list in the place of the second", "tree-masses", "sink-key", {
    kernels: entryTwice,
  }),
  mutant("keys weighed from the centres of another head", "tree-masses", "clustered", {
    kernels: centresOfFirstHead,
  }),
  mutant("clusters that see one key of their block", "tree-masses", "gaussian", { kernels: oneKeyTooMany }),
  mutant("values of entries not tilted", "tree-exact-at-centres", "gaussian", { kernels: valuesNotTilted }),
  mutant("variances where queries do not differ", "tree-exact-at-centres", "equal-queries", {
    kernels: spreadOfNothing,
  }),
  mutant("clusters that see one key of their block", "tree-single-keys", "gaussian", {
    kernels: oneKeyTooMany,
  }),
  mutant("last entry of every list not attended to", "tree-single-keys", "sink-key", {
    kernels: lastEntryMissing,
  }),
  mutant("mask left out", "tree-single-keys", "gaussian", { attendInOrder: withoutMask }),
  mutant("mask left out", "tree-unseen-keys", "gaussian", { attendInOrder: withoutMask }),
  mutant("causal order within blocks one key too far", "tree-unseen-keys", "gaussian", {
    kernels: oneKeyFurther,
  }),
  mutant("values rounded to a grid of unseen ones", "tree-unseen-keys", "gaussian", {
    kernels: valuesOnGrid,
  }),
  mutant("keys of entries not tilted", "tree-bound", "clustered", { kernels: keysNotTilted }),
  mutant("values of entries not tilted", "tree-bound", "clustered", { kernels: valuesNotTilted }),
  mutant("last key of every list without weight", "tree-bound", "sink-key", { kernels: lastKeyDropped }),
  mutant(
    "practical KDEformer in the place of exact attention for few queries",
    "tree-few-queries",
    "gaussian",
    {
      methods: { ...shipped.methods, "tilted-tree": shipped.methods["kdeformer-practical"] },
    },
  ),
  methodMutant(
    "the same lists for every budget",
    "tree-error-falls",
    "gaussian",
    "tilted-tree",
    (attend, backend, problem, budget, progress) =>
      attend(backend, problem, { ...budget, bucketSize: 28, samples: 84 }, progress),
  ),
  mutant("NaN in the first row", "exact-attention", "gaussian", {
    async exactAttention(...args) {
      const { output, logSumExp } = await exactAttention(...args);
      return { output: output.with(0, NaN), logSumExp };
    },
  }),
  methodMutant(
    "weights that do not sum to 1",
    "constant-values",
    "clustered",
    "routed",
    async (attend, ...args) => {
      const result = await attend(...args);
      return { ...result, output: result.output.map((x) => x * (1 + 2 ** -12)) };
    },
  ),
  methodMutant(
    "random numbers that heed no seed",
    "same-seed",
    "heavy-tailed",
    "calibrated",
    (attend, backend, problem, budget, progress) =>
      attend(backend, problem, { ...budget, seed: 0 }, progress),
  ),
  methodMutant(
    "no log-sum-exp for the first row",
    "finite-output",
    "gaussian",
    "kdeformer",
    async (attend, ...args) => {
      const result = await attend(...args);
      return { ...result, logSumExp: result.logSumExp.with(0, -Infinity) };
    },
  ),
  methodMutant(
    "blocks that grow with n",
    "sub-quadratic-cost",
    "gaussian",
    "kdeformer-practical",
    (attend, backend, problem, budget, progress) =>
      attend(backend, problem, { ...budget, bucketSize: problem.keys / 8 }, progress),
  ),
  mutant("keys of one half thinned", "thinformer-promise", "bounded-norms", {
    attendThinned: (backend, problem, ...rest) => shipped.attendThinned(backend, firstHalf(problem), ...rest),
  }),
  mutant("signs for one half of the keys", "balancekv-promise", "bounded-norms", {
    attendBalanced: (backend, problem, ...rest) =>
      shipped.attendBalanced(backend, firstHalf(problem), ...rest),
  }),
  mutant("pivots from one half of the keys", "wildcat-promise", "bounded-norms", {
    attendPivots: (backend, problem, ...rest) => shipped.attendPivots(backend, firstHalf(problem), ...rest),
  }),
  mutant("a ninth of the draws", "vattention-promise", "gaussian", {
    attendVerified: (backend, head, problem, options, ...rest) =>
      shipped.attendVerified(backend, head, problem, { ...options, epsilon: 3 * options.epsilon! }, ...rest),
  }),
  methodMutant(
    "draws from one half of the keys",
    "hyperattention-promise",
    "bounded-norms",
    "hyperattention",
    (attend, backend, problem, ...rest) => attend(backend, firstHalf(problem), ...rest),
  ),
  mutant("Huber's weights in the place of Hampel's", "robust-rejection", "gaussian", {
    robustAttention: (q, k, v, { outlierFraction: _, ...asked } = {}) =>
      shipped.robustAttention(q, k, v, { ...asked, weights: "huber" }),
  }),
  mutant("corners by a tenth of the share", "robust-rejection", "clustered", {
    robustAttention: (q, k, v, asked) =>
      shipped.robustAttention(q, k, v, { ...asked, outlierFraction: asked!.outlierFraction! / 10 }),
  }),
  mutant(
    "Huber's weights in the place of Hampel's",
    "robust-drift-hampel",
    "clustered",
    otherOptions({ weights: "huber" }),
  ),
  mutant(
    "values left out of the density",
    "robust-drift-hampel",
    "gaussian",
    otherOptions({ density: "keys" }),
  ),
  mutant(
    "bandwidth of attention",
    "robust-drift-percentiles",
    "clustered",
    otherOptions({ bandwidth: "attention" }),
  ),
  mutant(
    "corners at percentiles",
    "robust-clean-hampel",
    "clustered",
    otherOptions({ thresholds: "percentiles" }),
  ),
  mutant(
    "projected weights in the place of Huber's",
    "robust-clean-huber",
    "gaussian",
    otherOptions({ weights: "spkde" }),
  ),
  mutant("weights that do not sum to 1", "robust-range", "shape-one-key", {
    async robustAttention(...args) {
      const result = await shipped.robustAttention(...args), { data, shape } = result.output;
      return { ...result, output: { data: data.map((x) => x * (1 + 2 ** -12)), shape } };
    },
  }),
  mutant("a twentieth of the draws", "kernel-row-means", "clustered", {
    kernelRowMeans: (backend, rows, options) =>
      shipped.kernelRowMeans(backend, rows, { ...options, samples: Math.floor(options!.samples! / 20) }),
  }),
  hostMutant("own block not masked", "denominator-unbiased", "uniform-softmax"),
  hostMutant("block counted twice", "denominator-unbiased", "clustered"),
  hostMutant("weights forgotten", "denominator-unbiased", "gaussian"),
  hostMutant("weights of the square root", "denominator-unbiased", "gaussian"),
  hostMutant("last key of a block dropped", "single-block-exact", "clustered"),
  hostMutant("order not undone", "single-block-exact", "gaussian"),
  hostMutant("seed ignored", "same-seed", "clustered"),
];
