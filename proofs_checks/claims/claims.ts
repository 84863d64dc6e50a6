/**
 * Every claim that is checked, in the order in which they build on each other.
 *
 * @module
 */
import type { Claim } from "../engine/claim.ts";
import { grayOrder, hashCollision } from "./angular_hash.ts";
import { badInput } from "./bad_input.ts";
import { blockMasks } from "./block_masks.ts";
import { blockRemoval } from "./block_removal.ts";
import { calibratedError } from "./calibrated_error.ts";
import { certificateAttempts } from "./certificate_attempts.ts";
import { certificateEstimate } from "./certificate_estimate.ts";
import { certificateKnownSeed } from "./certificate_known_seed.ts";
import { certificateNonFinite } from "./certificate_non_finite.ts";
import { certificateCoverage, certificateSharpRows } from "./certificate_sharp_rows.ts";
import { certificateRefused } from "./certificate_refused.ts";
import { certificateClaims } from "./certificate_soundness.ts";
import { certificateRounding } from "./certificate_rounding.ts";
import { certificateTarget } from "./certificate_target.ts";
import { certifiedAttention } from "./certified_attention.ts";
import { densityErrorHashed, densityErrors } from "./density_error.ts";
import { densityUnbiased } from "./density_unbiased.ts";
import { constantValues, exactKernels, singleBlock } from "./exact_cases.ts";
import { estimatedError } from "./estimated_error.ts";
import { farKeys } from "./far_keys.ts";
import { hardnessBoundary } from "./hardness_boundary.ts";
import { invarianceClaims } from "./invariances.ts";
import {
  kernelProductClaims,
  kernelSumClaims,
  kernelSumOnePlace,
  topEigenvalueClaims,
} from "./kernel_algebra.ts";
import { keyEvaluations } from "./key_evaluations.ts";
import { denominatorUnbiased, keySampling } from "./key_sampling.ts";
import { liftIdentity } from "./lift_identity.ts";
import { mergedKeysBound, mergedKeysCertified } from "./merged_keys.ts";
import { mergeIdentity } from "./merge_identity.ts";
import { columnSampling, uniformSampling, valueNormSampling } from "./other_sampling.ts";
import { finiteOutput, sameSeed } from "./output_range.ts";
import { practicalError, practicalSinks, practicalSlope, residualSlope } from "./practical_error.ts";
import { productBound, productSlope, productUnbiased } from "./product_error.ts";
import { residualDraws } from "./residual_draws.ts";
import { residualMass, residualSampling } from "./residual_mass.ts";
import { keyProbabilitiesClaim } from "./key_probabilities.ts";
import { kdeformerHeads, kdeformerMoved, kdeformerUnbiased } from "./kdeformer_output.ts";
import { sampleSizes } from "./sample_sizes.ts";
import { routedError } from "./routed_error.ts";
import { columnNorms, rowSums } from "./row_sums.ts";
import { softmaxNormKernels, softmaxNormRange } from "./softmax_norm.ts";
import { spectrumByProducts, spectrumByRows } from "./softmax_spectrum.ts";
import { spectralGuarantee } from "./spectral_guarantee.ts";
import { tiltedError } from "./tilted_error.ts";
import { tolerancesKept } from "./tolerance_kept.ts";
import { treeBound } from "./tree_bound.ts";
import { treeErrorFalls } from "./tree_error_falls.ts";
import { treeAtCentres, treeFewQueries, treeSingleKeys } from "./tree_exact.ts";
import { treeMasses } from "./tree_masses.ts";
import { treeUnseenKeys } from "./tree_unseen_keys.ts";
import { thinformerPromise } from "./thinformer_promise.ts";
import { balancekvPromise } from "./balancekv_promise.ts";
import { wildcatPromise } from "./wildcat_promise.ts";
import { unseenKeys, visibleKeys } from "./visible_keys.ts";
import { kernelRowMeansClaim } from "./kernel_row_means.ts";
import { robustClean } from "./robust_clean.ts";
import { robustDrift } from "./robust_drift.ts";
import { robustRange } from "./robust_range.ts";
import { robustRejection } from "./robust_rejection.ts";
import { vattentionPromise } from "./vattention_promise.ts";
import { headClaims } from "./heads.ts";
import { hashingCost } from "./hashing_cost.ts";
import { hyperattentionPromise } from "./hyperattention_promise.ts";

/** All claims. */
export const claims: readonly Claim[] = [
  liftIdentity,
  ...densityErrors,
  densityErrorHashed,
  hashingCost,
  ...densityUnbiased,
  sampleSizes,
  ...kernelSumClaims,
  kernelSumOnePlace,
  ...kernelProductClaims,
  ...topEigenvalueClaims,
  rowSums,
  columnNorms,
  keyProbabilitiesClaim,
  productUnbiased,
  productBound,
  productSlope,
  spectralGuarantee,
  kdeformerUnbiased,
  kdeformerHeads,
  kdeformerMoved,
  columnSampling,
  uniformSampling,
  valueNormSampling,
  residualMass,
  residualSampling,
  residualDraws,
  softmaxNormRange,
  softmaxNormKernels,
  spectrumByProducts,
  spectrumByRows,
  grayOrder,
  hashCollision,
  blockRemoval,
  keySampling,
  denominatorUnbiased,
  practicalError,
  practicalSinks,
  calibratedError,
  estimatedError,
  ...tolerancesKept,
  tiltedError,
  treeErrorFalls,
  treeMasses,
  treeAtCentres,
  treeSingleKeys,
  treeFewQueries,
  treeUnseenKeys,
  treeBound,
  routedError,
  practicalSlope,
  residualSlope,
  exactKernels,
  singleBlock,
  blockMasks,
  constantValues,
  mergeIdentity,
  farKeys,
  ...invarianceClaims,
  finiteOutput,
  badInput,
  sameSeed,
  visibleKeys,
  unseenKeys,
  ...headClaims,
  ...certificateClaims,
  certificateSharpRows,
  ...certificateCoverage,
  certificateTarget,
  certificateEstimate,
  certificateNonFinite,
  certificateAttempts,
  certificateRefused,
  certificateKnownSeed,
  certificateRounding,
  mergedKeysBound,
  mergedKeysCertified,
  certifiedAttention,
  keyEvaluations,
  thinformerPromise,
  balancekvPromise,
  wildcatPromise,
  vattentionPromise,
  hyperattentionPromise,
  hardnessBoundary,
  kernelRowMeansClaim,
  robustRejection,
  ...robustDrift,
  ...robustClean,
  robustRange,
];
