import type { Backend, DeviceArray } from "../backend.ts";
import { angularHash } from "./angular_hash.ts";
import { floats, floatValues, type ReferenceArray, words } from "./array.ts";
import { attend } from "./attend.ts";
import { bisectRows } from "./bisect_rows.ts";
import { calibrateValues } from "./calibrate_values.ts";
import { gatheredDistances } from "./gathered_distances.ts";
import { innerProducts } from "./inner_products.ts";
import { fitCentre } from "./fit_centre.ts";
import { fitPoints } from "./fit_points.ts";
import { addLinear } from "./add_linear.ts";
import { fitSlope } from "./fit_slope.ts";
import { mergeAttention } from "./merge_attention.ts";
import { pairBuckets } from "./pair_buckets.ts";
import { centreRows } from "./centre_rows.ts";
import { columnMean } from "./column_mean.ts";
import { gatherRows } from "./gather_rows.ts";
import { sketchRows } from "./sketch_rows.ts";
import { keyImportance } from "./key_importance.ts";
import { sampleKeys } from "./sample_keys.ts";
import { attendProbes } from "./attend_probes.ts";
import { softmaxRows } from "./softmax_rows.ts";
import { sortByBucket } from "./sort_by_bucket.ts";

/**
 * The float64 reference: every primitive as plain, readable TypeScript, run at once. It is the oracle for
 * the other backends and works wherever JavaScript does.
 */
export class ReferenceBackend implements Backend {
  readonly kind = "reference";
  readonly adapter = "float64 TypeScript";
  readonly software = false;
  readonly largestArrayBytes: number = 2 ** 33;

  readonly attend = attend;
  readonly softmaxRows = softmaxRows;
  readonly attendProbes = attendProbes;
  readonly columnMean = columnMean;
  readonly centreRows = centreRows;
  readonly gatherRows = gatherRows;
  readonly sketchRows = sketchRows;
  readonly angularHash = angularHash;
  readonly sortByBucket = sortByBucket;
  readonly pairBuckets = pairBuckets;
  readonly keyImportance = keyImportance;
  readonly sampleKeys = sampleKeys;
  readonly mergeAttention = mergeAttention;
  readonly innerProducts = innerProducts;
  readonly gatheredDistances = gatheredDistances;
  readonly bisectRows = bisectRows;
  readonly fitPoints = fitPoints;
  readonly fitCentre = fitCentre;
  readonly fitSlope = fitSlope;
  readonly addLinear = addLinear;
  readonly calibrateValues = calibrateValues;

  upload(data: Float32Array | Uint32Array): DeviceArray {
    return data instanceof Uint32Array ? words(data.slice()) : floats(Float64Array.from(data));
  }

  run(outputs: readonly DeviceArray[], signal?: AbortSignal): Promise<(Float32Array | Uint32Array)[]> {
    if (signal?.aborted) return Promise.reject(signal.reason);
    return Promise.resolve(
      outputs.map((array) =>
        array.type === "word"
          ? (array as ReferenceArray).values.slice() as Uint32Array
          : Float32Array.from(floatValues(array))
      ),
    );
  }

  reset(): void {}

  destroy(): void {}
}
