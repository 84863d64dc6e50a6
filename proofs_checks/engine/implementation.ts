import type { Attend, Method } from "../../estimators/methods/method.ts";
import { approximateMethods, type ApproximateName } from "../../estimators/methods/methods.ts";
import { attention } from "../../estimators/attention/attention.ts";
import { exactAttention } from "../../estimators/core/exact.ts";
import { bernsteinSamples } from "../../estimators/methods/kdeformer/bernstein.ts";
import { drawKeys, keyProbabilities } from "../../estimators/methods/kdeformer/draw_keys.ts";
import { kdeformer } from "../../estimators/methods/kdeformer/kdeformer.ts";
import { attendByTree, attendInOrder } from "../../estimators/methods/tilted_tree/tilted_tree.ts";
import { attendBalanced } from "../../estimators/methods/rivals/balancekv/balancekv.ts";
import { attendThinned } from "../../estimators/methods/rivals/thinformer/thinformer.ts";
import { attendVerified } from "../../estimators/methods/rivals/vattention/attend_verified.ts";
import { attendPivots } from "../../estimators/methods/rivals/wildcat/wildcat.ts";
import { attentionPartial } from "../../estimators/attention/partial.ts";
import { runMethod } from "../../estimators/methods/visible.ts";
import { mergePartials } from "../../estimators/attention/merge_partials.ts";
import { attemptWithin } from "../../estimators/certified/attempts.ts";
import { attendWithin } from "../../estimators/certified/attend_within.ts";
import { sampleResidual } from "../../estimators/methods/kdeformer_residual/residual_sample.ts";
import { certify } from "../../estimators/certified/certify.ts";
import { headGeometry } from "../../estimators/certified/head_geometry.ts";
import { attendMerged } from "../../estimators/certified/merged_keys.ts";
import type { FitDensity } from "../../estimators/kde/density.ts";
import { kernelProduct } from "../../estimators/kde/kernel_product.ts";
import { kernelSum } from "../../estimators/kde/kernel_sum.ts";
import { densityFit, type DensityMethod } from "../../estimators/kde/methods.ts";
import { planMedianOfMeans } from "../../estimators/kde/median_of_means.ts";
import { uniformSampleSize } from "../../estimators/kde/uniform.ts";
import { topEigenpair } from "../../estimators/kde/top_eigenpair.ts";
import { softmaxSpectrum } from "../../estimators/spectrum/softmax_spectrum.ts";
import { planHashing } from "../../estimators/kde/hashing_plan.ts";
import { weightedExponentialKde } from "../../estimators/kde/weighted_exponential_kde.ts";
import { liftWeights } from "../../estimators/kde/weighted_exponential.ts";
import { kernelRowMeans } from "../../estimators/robust/kernel_row_means.ts";
import { robustAttention } from "../../estimators/robust/robust_attention.ts";
import type { Backend } from "../../kernels/backend.ts";
import { softmaxOperatorNorm } from "../measures/softmax_norm.ts";
import { type DensityDraw, densityDraw } from "./density_draw.ts";

/**
 * What is under test. Claims call nothing else of the estimators, so that a deliberately broken part can be put in
 * the place of the real one and the claim that should notice can be seen to notice.
 */
export interface Implementation {
  readonly attention: typeof attention;
  readonly attentionPartial: typeof attentionPartial;
  readonly exactAttention: typeof exactAttention;
  /** Runs one of them in any order of queries, under any mask. */
  readonly runMethod: typeof runMethod;
  /** The approximate methods by name. */
  readonly methods: Readonly<Record<ApproximateName, Attend>>;
  readonly kdeformer: typeof kdeformer;
  readonly attendByTree: typeof attendByTree;
  readonly attendInOrder: typeof attendInOrder;
  readonly attendThinned: typeof attendThinned;
  readonly attendBalanced: typeof attendBalanced;
  readonly attendPivots: typeof attendPivots;
  readonly attendVerified: typeof attendVerified;
  readonly mergePartials: typeof mergePartials;
  readonly keyProbabilities: typeof keyProbabilities;
  readonly drawKeys: typeof drawKeys;
  readonly sampleResidual: typeof sampleResidual;
  readonly bernsteinSamples: typeof bernsteinSamples;
  readonly uniformSampleSize: typeof uniformSampleSize;
  readonly planMedianOfMeans: typeof planMedianOfMeans;
  readonly planHashing: typeof planHashing;
  readonly weightedExponentialKde: typeof weightedExponentialKde;
  readonly certify: typeof certify;
  readonly attemptWithin: typeof attemptWithin;
  readonly attendWithin: typeof attendWithin;
  readonly headGeometry: typeof headGeometry;
  readonly attendMerged: typeof attendMerged;
  readonly liftWeights: typeof liftWeights;
  readonly densityFit: (method: DensityMethod) => FitDensity;
  readonly densityDraw: DensityDraw;
  readonly kernelSum: typeof kernelSum;
  readonly kernelProduct: typeof kernelProduct;
  readonly topEigenpair: typeof topEigenpair;
  readonly robustAttention: typeof robustAttention;
  readonly kernelRowMeans: typeof kernelRowMeans;
  readonly softmaxOperatorNorm: typeof softmaxOperatorNorm;
  readonly softmaxSpectrum: typeof softmaxSpectrum;
  /** Puts other kernels in the place of a backend's. */
  readonly kernels: (backend: Backend) => Backend;
}

/** The implementation that this package ships. */
export const shipped: Implementation = {
  attention,
  attentionPartial,
  exactAttention,
  runMethod,
  methods: attendOf(approximateMethods),
  kdeformer,
  attendByTree,
  attendInOrder,
  attendThinned,
  attendBalanced,
  attendPivots,
  attendVerified,
  mergePartials,
  keyProbabilities,
  drawKeys,
  sampleResidual,
  bernsteinSamples,
  uniformSampleSize,
  planMedianOfMeans,
  planHashing,
  weightedExponentialKde,
  certify,
  attemptWithin,
  attendWithin,
  headGeometry,
  attendMerged,
  liftWeights,
  densityFit,
  densityDraw,
  kernelSum,
  kernelProduct,
  topEigenpair,
  robustAttention,
  kernelRowMeans,
  softmaxOperatorNorm,
  softmaxSpectrum,
  kernels: (backend) => backend,
};

function attendOf(records: Readonly<Record<ApproximateName, Method>>): Implementation["methods"] {
  const entries = Object.entries(records).map(([name, { attend }]) => [name, attend]);
  return Object.fromEntries(entries) as Implementation["methods"];
}
