import type { Operations, PrimitiveName } from "../../primitives.ts";
import type { Recorder } from "../engine/recorder.ts";
import { addLinear } from "./add_linear.ts";
import { angularHash } from "./angular_hash.ts";
import { attendProbes } from "./attend_probes.ts";
import { bisectRows } from "./bisect_rows.ts";
import { calibrateValues } from "./calibrate_values.ts";
import { centreRows } from "./centre_rows.ts";
import { columnMean } from "./column_mean.ts";
import { fitCentre } from "./fit_centre.ts";
import { fitPoints } from "./fit_points.ts";
import { fitSlope } from "./fit_slope.ts";
import { gatherRows } from "./gather_rows.ts";
import { gatheredDistances } from "./gathered_distances.ts";
import { innerProducts } from "./inner_products.ts";
import { keyImportance } from "./key_importance.ts";
import { mergeAttention } from "./merge_attention.ts";
import { pairBuckets } from "./pair_buckets.ts";
import { sampleKeys } from "./sample_keys.ts";
import { sketchRows } from "./sketch_rows.ts";
import { softmaxRows } from "./softmax_rows.ts";
import { sortByBucket } from "./sort_by_bucket.ts";

/** Every primitive but `attend`, which the backend chooses a tile for. */
export const operations: Operations<Recorder, Exclude<PrimitiveName, "attend">> = {
  softmaxRows,
  attendProbes,
  columnMean,
  centreRows,
  gatherRows,
  sketchRows,
  angularHash,
  sortByBucket,
  pairBuckets,
  keyImportance,
  sampleKeys,
  mergeAttention,
  innerProducts,
  gatheredDistances,
  bisectRows,
  fitPoints,
  fitCentre,
  fitSlope,
  addLinear,
  calibrateValues,
};
