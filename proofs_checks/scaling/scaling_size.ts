import { attention } from "../../estimators/attention/attention.ts";
import type { AttentionOptions } from "../../estimators/attention/options.ts";
import { type Device, openDevice } from "../../kernels/device.ts";
import type { AttentionInput } from "../inputs/family.ts";
import { sampleQuantile } from "../statistics/quantile.ts";
import { BUDGET, type ScalingOptions } from "./options.ts";
import type { ScalingPoint, ScalingSeries } from "./report.ts";
import { SampledRows } from "./sampled_error.ts";

const REPEATS = 5;
/** Seconds that one run may take, by default. */
const LIMIT = 60;
/** Runs before the clock counts: until the engine has compiled what is hot. */
const WARM_UP_MS = 300, MOST_WARM_UPS = 25;
/** Total time after which a size is not repeated more than three times. */
const PATIENCE = 10;

/** A way of choosing the budget. */
export type Mode = ScalingSeries["mode"];

/** All modes at one size. */
export class ScalingSize {
  readonly #input: AttentionInput;
  readonly #workload: string;
  readonly #n: number;
  readonly #options: ScalingOptions;
  readonly #before: Readonly<Record<Mode, readonly ScalingPoint[]>>;

  /** @param before What smaller sizes gave. */
  constructor(
    workload: string,
    input: AttentionInput,
    n: number,
    options: ScalingOptions,
    before: Readonly<Record<Mode, readonly ScalingPoint[]>>,
  ) {
    this.#workload = workload;
    this.#input = input;
    this.#n = n;
    this.#options = options;
    this.#before = before;
  }

  async measure(
    found: (mode: Mode, point: ScalingPoint) => void,
  ): Promise<{ device: string; adapter: string }> {
    const { method = "kdeformer-practical", epsilon = 0.3, seed = 1 } = this.#options;
    const budget = { method, bucketSize: BUDGET.bucket, samples: BUDGET.samples, seed };
    const kind = this.#options.device ?? "wasm";
    const question = { workload: this.#workload, n: this.#n, seed, device: kind, options: budget };
    const memory = await this.#options.peakMemory?.(question) ?? null;
    using device = await openDevice({ prefer: kind });
    const rows = await SampledRows.draw(device, this.#input, seed);
    const approximate = await this.#time(device, budget, rows, REPEATS);
    if (approximate) found("fixed-budget", { ...approximate, peak_bytes: memory });

    found("exact", await this.#exact(device, rows));
    const certified = await this.#time(device, { epsilon, seed, checkSeed: seed, delta: 0.05 }, rows, 3);
    if (certified) found("fixed-epsilon", certified);
    return { device: device.kind, adapter: device.adapter };
  }

  /** Exact attention, or the square law where that would take too long. */
  async #exact(device: Device, rows: SampledRows): Promise<ScalingPoint> {
    const { limit = LIMIT } = this.#options, last = this.#before.exact[this.#before.exact.length - 1];
    const expected = last ? last.seconds * (this.#n / last.n) ** 2 : 0;
    const measured = last?.extrapolated || expected > limit
      ? null
      : await this.#time(device, { method: "exact" }, rows, REPEATS);
    if (measured) return measured;
    if (!last) {
      throw new RangeError(
        `Cannot measure scaling: exact attention takes more than ${limit} s at n = ${this.#n}`,
      );
    }
    return {
      n: this.#n,
      seconds: expected,
      "all_seconds": [],
      "key_evaluations": this.#n ** 2,
      "peak_bytes": null,
      error: null,
      "error_output": null,
      extrapolated: true,
      "fell_back": null,
    };
  }

  /** Repetitions after a warm-up; null if one takes longer than the limit. */
  async #time(
    device: Device,
    request: AttentionOptions,
    rows: SampledRows,
    repeats: number,
  ): Promise<ScalingPoint | null> {
    const { query, key, value, scale } = this.#input, { limit = LIMIT } = this.#options;
    const run = () =>
      attention(query, key, value, { ...request, scale, device, signal: AbortSignal.timeout(1000 * limit) });
    try {
      const first = await warmUp(run);
      // What takes seconds needs no warm-up, and its first run counts.
      const seconds = first.stats.seconds > PATIENCE / 5 ? [first.stats.seconds] : [];
      while (seconds.length < repeats) {
        if (seconds.length >= 2 && seconds.reduce((a, b) => a + b) > PATIENCE) break;
        seconds.push((await run()).stats.seconds);
      }
      return {
        n: this.#n,
        seconds: sampleQuantile(seconds, 0.5),
        all_seconds: seconds,
        key_evaluations: first.stats.keyEvaluations,
        peak_bytes: null,
        ...rows.errors(first.output.data),
        extrapolated: false,
        fell_back: request.method === "exact" ? null : first.stats.fellBack,
      };
    } catch (error) {
      if ((error as Error).name === "TimeoutError") return null;
      throw error;
    }
  }
}

/** The result of the first of several runs that nobody times. */
async function warmUp<T>(run: () => Promise<T>): Promise<T> {
  const start = performance.now(), first = await run();
  for (let at = 1; at < MOST_WARM_UPS && performance.now() - start < WARM_UP_MS; at++) await run();
  return first;
}
