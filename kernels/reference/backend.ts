import type { Backend, DeviceArray } from "../backend.ts";
import { Turns } from "../runtime.ts";
import { angularHash } from "./angular_hash.ts";
import { floats, floatValues, words, wordValues } from "./array.ts";
import { attendSteps } from "./attend.ts";
import { attendRounding } from "./attend_rounding.ts";
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
import { defer, type Pending, type Steps } from "./steps.ts";

/**
 * The float64 reference: every primitive as plain, readable TypeScript. It is the oracle for the other backends and
 * works wherever JavaScript does. What was recorded is computed in slices, so that timers and abort signals have their turn.
 */
export class ReferenceBackend implements Backend {
  readonly kind = "reference";
  readonly adapter = "float64 TypeScript";
  readonly software = false;
  readonly largestArrayBytes: number = 2 ** 33;
  readonly #turns = new Turns();
  #work: Pending[] = [];

  readonly attend: Backend["attend"] = this.#recorded(attendSteps);
  readonly attendRounding = attendRounding;
  readonly softmaxRows: Backend["softmaxRows"] = this.#recorded(softmaxRows);
  readonly attendProbes: Backend["attendProbes"] = this.#recorded(attendProbes);
  readonly columnMean: Backend["columnMean"] = this.#recorded(columnMean);
  readonly centreRows: Backend["centreRows"] = this.#recorded(centreRows);
  readonly gatherRows: Backend["gatherRows"] = this.#recorded(gatherRows);
  readonly sketchRows: Backend["sketchRows"] = this.#recorded(sketchRows);
  readonly angularHash: Backend["angularHash"] = this.#recorded(angularHash);
  readonly sortByBucket: Backend["sortByBucket"] = this.#recorded(sortByBucket);
  readonly pairBuckets: Backend["pairBuckets"] = this.#recorded(pairBuckets);
  readonly keyImportance: Backend["keyImportance"] = this.#recorded(keyImportance);
  readonly sampleKeys: Backend["sampleKeys"] = this.#recorded(sampleKeys);
  readonly mergeAttention: Backend["mergeAttention"] = this.#recorded(mergeAttention);
  readonly innerProducts: Backend["innerProducts"] = this.#recorded(innerProducts);
  readonly gatheredDistances: Backend["gatheredDistances"] = this.#recorded(gatheredDistances);
  readonly bisectRows: Backend["bisectRows"] = this.#recorded(bisectRows);
  readonly fitPoints: Backend["fitPoints"] = this.#recorded(fitPoints);
  readonly fitCentre: Backend["fitCentre"] = this.#recorded(fitCentre);
  readonly fitSlope: Backend["fitSlope"] = this.#recorded(fitSlope);
  readonly addLinear: Backend["addLinear"] = this.#recorded(addLinear);
  readonly calibrateValues: Backend["calibrateValues"] = this.#recorded(calibrateValues);

  upload(data: Float32Array | Uint32Array): DeviceArray {
    return data instanceof Uint32Array ? words(data.slice()) : floats(Float64Array.from(data));
  }

  async run(
    outputs: readonly DeviceArray[],
    signal?: AbortSignal,
  ): Promise<(Float32Array | Uint32Array)[]> {
    const work = this.#work;
    this.#work = [];
    signal?.throwIfAborted();
    for (const pending of work) {
      while (!pending.advance(this.#turns.end)) await this.#turns.take(signal);
    }
    return outputs.map((array) =>
      array.type === "word" ? wordValues(array).slice() : Float32Array.from(floatValues(array))
    );
  }

  reset(): void {
    this.#work = [];
  }

  destroy(): void {
    this.reset();
  }

  /** A primitive that is only begun when it is called. */
  #recorded<A, T extends object>(primitive: (args: A) => Steps<T>): (args: A) => T {
    return (args) => {
      const { results, pending } = defer(primitive(args));
      this.#work.push(pending);
      return results;
    };
  }
}
