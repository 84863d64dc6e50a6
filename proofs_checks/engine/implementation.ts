import type { Method } from "../../estimators/methods/visible.ts";
import { attention } from "../../estimators/attention/attention.ts";
import { bernsteinSamples } from "../../estimators/methods/kdeformer/bernstein.ts";
import { calibrated } from "../../estimators/methods/calibrated/calibrated.ts";
import { drawKeys, keyProbabilities } from "../../estimators/methods/kdeformer/draw_keys.ts";
import { exactAttention } from "../../estimators/core/exact.ts";
import { kdeformer } from "../../estimators/methods/kdeformer/kdeformer.ts";
import { kdeformerPractical } from "../../estimators/methods/kdeformer_practical/kdeformer_practical.ts";
import { kdeformerResidual } from "../../estimators/methods/kdeformer_residual/kdeformer_residual.ts";
import { mergePartials } from "../../estimators/attention/partial.ts";
import { routed } from "../../estimators/methods/routed/routed.ts";
import { certify } from "../../estimators/certified/certificate.ts";
import { headGeometry } from "../../estimators/certified/head_geometry.ts";
import type { FitDensity } from "../../estimators/kde/density.ts";
import { kernelSum } from "../../estimators/kde/kernel_sum.ts";
import { densityFit, type DensityMethod } from "../../estimators/kde/methods.ts";
import { topEigenpair } from "../../estimators/kde/top_eigenpair.ts";
import { liftWeights } from "../../estimators/kde/weighted_exponential.ts";
import type { Backend } from "../../kernels/backend.ts";
import { softmaxOperatorNorm } from "../measures/softmax_norm.ts";
import { type DensityDraw, densityDraw } from "./density_draw.ts";

/**
 * What is under test. Claims call nothing else of the estimators, so that a deliberately broken part can be put in
 * the place of the real one and the claim that should notice can be seen to notice.
 */
export interface Implementation {
  readonly attention: typeof attention;
  readonly exactAttention: typeof exactAttention;
  readonly practical: Method;
  readonly residual: Method;
  readonly calibrated: Method;
  readonly routed: Method;
  readonly kdeformer: typeof kdeformer;
  readonly mergePartials: typeof mergePartials;
  readonly keyProbabilities: typeof keyProbabilities;
  readonly drawKeys: typeof drawKeys;
  readonly bernsteinSamples: typeof bernsteinSamples;
  readonly certify: typeof certify;
  readonly headGeometry: typeof headGeometry;
  readonly liftWeights: typeof liftWeights;
  readonly densityFit: (method: DensityMethod) => FitDensity;
  readonly densityDraw: DensityDraw;
  readonly kernelSum: typeof kernelSum;
  readonly topEigenpair: typeof topEigenpair;
  readonly softmaxOperatorNorm: typeof softmaxOperatorNorm;
  /** Puts other kernels in the place of a backend's. */
  readonly kernels: (backend: Backend) => Backend;
}

/** The implementation that this package ships. */
export const shipped: Implementation = {
  attention,
  exactAttention,
  practical: kdeformerPractical,
  residual: kdeformerResidual,
  calibrated,
  routed,
  kdeformer,
  mergePartials,
  keyProbabilities,
  drawKeys,
  bernsteinSamples,
  certify,
  headGeometry,
  liftWeights,
  densityFit,
  densityDraw,
  kernelSum,
  topEigenpair,
  softmaxOperatorNorm,
  kernels: (backend) => backend,
};
