// deno-fmt-ignore-file: AssemblyScript
import { angularHashTask } from "./angular_hash";
import { attendTask } from "./attend";
import { bisectRowsTask, descendRowsTask } from "./bisect_rows";
import { calibrateCorrectTask, calibrateJudgeTask, calibrateRowsTask, calibrateScaleTask } from "./calibrate_values";
import { gatheredDistancesTask, innerProductsTask } from "./distances";
import { fitCentreTask } from "./fit_centre";
import { addLinearTask, slopeTask, straysTask, weighSlopeTask } from "./fit_slope";
import { fitPointsTask, transposeProbesTask } from "./fit_points";
import { keyImportanceTask, keySizesTask, valueSizesTask } from "./key_importance";
import * as layout from "../engine/layout";
import { mergeAttentionTask } from "./merge_attention";
import { packKeysTask } from "./pack";
import { pairBucketsTask } from "./pair_buckets";
import { centreRowsTask, columnMeanTask, columnSumsTask, gatherRowsTask, sketchRowsTask } from "./rows";
import { sampleKeysTask } from "./sample_keys";
import { probeLogitsTask, probeOutputTask, probePartsTask, probeSoftmaxTask } from "./softmax_rows";
import { calibrateGramTask, calibrateSolveTask } from "./solve_ridge";
import { sortByBucketTask } from "./sort_by_bucket";

/** Runs one task of an operation. */
export function runTask(operation: usize, task: u32, scratch: usize): void {
  const args = operation + layout.ARGUMENTS;
  switch (load<u32>(operation, layout.CODE)) {
    case layout.ATTEND:
      return attendTask(args, task, scratch);
    case layout.PACK_KEYS:
      return packKeysTask(args, task);
    case layout.PROBE_LOGITS:
      return probeLogitsTask(args, task, scratch);
    case layout.PROBE_SOFTMAX:
      return probeSoftmaxTask(args, task);
    case layout.COLUMN_SUMS:
      return columnSumsTask(args, task);
    case layout.COLUMN_MEAN:
      return columnMeanTask(args, task);
    case layout.CENTRE_ROWS:
      return centreRowsTask(args, task);
    case layout.GATHER_ROWS:
      return gatherRowsTask(args, task);
    case layout.SKETCH_ROWS:
      return sketchRowsTask(args, task);
    case layout.ANGULAR_HASH:
      return angularHashTask(args, task, scratch);
    case layout.SORT_BY_BUCKET:
      return sortByBucketTask(args, task);
    case layout.PAIR_BUCKETS:
      return pairBucketsTask(args, task);
    case layout.VALUE_SIZES:
      return valueSizesTask(args, task);
    case layout.KEY_SIZES:
      return keySizesTask(args, task);
    case layout.KEY_IMPORTANCE:
      return keyImportanceTask(args, task);
    case layout.SAMPLE_KEYS:
      return sampleKeysTask(args, task);
    case layout.MERGE_ATTENTION:
      return mergeAttentionTask(args, task);
    case layout.INNER_PRODUCTS:
      return innerProductsTask(args, task, scratch);
    case layout.GATHERED_DISTANCES:
      return gatheredDistancesTask(args, task);
    case layout.BISECT_ROWS:
      return bisectRowsTask(args, task, scratch);
    case layout.DESCEND_ROWS:
      return descendRowsTask(args, task, scratch);
    case layout.TRANSPOSE_PROBES:
      return transposeProbesTask(args, task);
    case layout.FIT_POINTS:
      return fitPointsTask(args, task, scratch);
    case layout.FIT_CENTRE:
      return fitCentreTask(args, task, scratch);
    case layout.STRAYS:
      return straysTask(args, task);
    case layout.SLOPE:
      return slopeTask(args, task);
    case layout.ADD_LINEAR:
      return addLinearTask(args, task);
    case layout.WEIGH_SLOPE:
      return weighSlopeTask(args, task, scratch);
    case layout.PROBE_PARTS:
      return probePartsTask(args, task);
    case layout.PROBE_OUTPUT:
      return probeOutputTask(args, task);
    case layout.CALIBRATE_ROWS:
      return calibrateRowsTask(args, task);
    case layout.CALIBRATE_SCALE:
      return calibrateScaleTask(args, task);
    case layout.CALIBRATE_GRAM:
      return calibrateGramTask(args, task);
    case layout.CALIBRATE_SOLVE:
      return calibrateSolveTask(args, task);
    case layout.CALIBRATE_CORRECT:
      return calibrateCorrectTask(args, task, scratch);
    case layout.CALIBRATE_JUDGE:
      return calibrateJudgeTask(args, task, scratch);
  }
}
