import { attention } from "../../estimators/attention/attention.ts";
import type { AttentionOptions, MethodName } from "../../estimators/attention/options.ts";
import type { DeviceKind } from "../../kernels/backend.ts";
import { type Device, openDevice } from "../../kernels/device.ts";
import { REPORT_VERSION } from "../engine/report.ts";
import { inputFamily } from "../inputs/families.ts";
import type { AttentionInput } from "../inputs/family.ts";
import { sampleQuantile } from "../statistics/quantile.ts";
import { SCALING_SCHEMA, type ScalingPoint, type ScalingReport, type ScalingSeries } from "./report.ts";
import { SampledRows } from "./sampled_error.ts";
import { withSlopes } from "./slopes.ts";

/** Options of {@link measureScaling}. */
export interface ScalingOptions {
  /** Smallest and largest n, 1,024 and 16,384 by default; the sizes between are doublings of the smallest. */
  readonly min?: number;
  readonly max?: number;
  /** Error to certify, 0.3 by default. */
  readonly epsilon?: number;
  /** Names of workloads, gaussian and clustered by default. */
  readonly workloads?: readonly string[];
  /** Method at a fixed budget, "kdeformer-practical" by default; at a fixed error it is "auto". */
  readonly method?: MethodName;
  readonly seed?: number;
  readonly device?: DeviceKind;
  /** Seconds that one run may take: beyond, exact attention is extrapolated and others are left out; 60 by default. */
  readonly limit?: number;
  /** The command that repeats the measurement. */
  readonly replay?: string;
  /** Makes the input of a workload; null if it has none of that size. By default one of the generated families. */
  readonly load?: (workload: string, n: number, seed: number) => Promise<AttentionInput | null>;
  /** Runs a job and says by how many bytes memory grew at most, or null; where it is left out memory is not measured. */
  readonly peakGrowth?: (job: () => Promise<void>) => Promise<number | null>;
  readonly onPoint?: (workload: string, mode: ScalingSeries["mode"], point: ScalingPoint) => void;
}

const BUDGET = { bucket: 64, samples: 128 };
const REPEATS = 5;
/** Seconds that one run may take, by default. */
const LIMIT = 60;
/** Runs before the clock counts: until the engine has compiled what is hot. */
const WARM_UP_MS = 300, MOST_WARM_UPS = 25;
/** Total time after which a size is not repeated more than three times. */
const PATIENCE = 10;

type Mode = ScalingSeries["mode"];

/**
 * Time, key evaluations, memory and error over n: of exact attention as far as it is bearable, at a fixed budget, and at a fixed
 * certified error with the budget free, which may fall back to exact attention and then says so.
 */
export async function measureScaling(options: ScalingOptions = {}): Promise<ScalingReport> {
  const { min = 1024, max = 16_384, workloads = ["gaussian", "clustered"], seed = 1, epsilon = 0.3 } =
    options;
  const start = performance.now(), series: ScalingSeries[] = [];
  let device = "", adapter = "";
  for (const workload of workloads) {
    const points: Record<Mode, ScalingPoint[]> = { "exact": [], "fixed-budget": [], "fixed-epsilon": [] };
    for (let n = min; n <= max; n *= 2) {
      const input = await (options.load ?? loadFamily)(workload, n, seed);
      if (!input) break;
      const size = new ScalingSize(input, n, options, points);
      const opened = await size.measure((mode, point) => {
        points[mode].push(point);
        options.onPoint?.(workload, mode, point);
      });
      ({ device, adapter } = opened);
    }
    const named: Record<Mode, string> = {
      "exact": "exact",
      "fixed-budget": options.method ?? "kdeformer-practical",
      "fixed-epsilon": "auto",
    };
    for (const mode of Object.keys(points) as Mode[]) {
      series.push(
        withSlopes({ workload, mode, method: named[mode], points: points[mode] }, points.exact, seed),
      );
    }
  }
  return {
    schema: SCALING_SCHEMA,
    version: REPORT_VERSION,
    seed,
    device: device as DeviceKind,
    adapter,
    epsilon,
    budget: BUDGET,
    seconds: (performance.now() - start) / 1000,
    series,
    replay: options.replay ?? "",
  };
}

// deno-lint-ignore require-await
async function loadFamily(workload: string, n: number, seed: number): Promise<AttentionInput> {
  return inputFamily(workload).generate({ n, seed });
}

/** All modes at one size. */
class ScalingSize {
  readonly #input: AttentionInput;
  readonly #n: number;
  readonly #options: ScalingOptions;
  readonly #before: Readonly<Record<Mode, readonly ScalingPoint[]>>;

  constructor(
    input: AttentionInput,
    n: number,
    options: ScalingOptions,
    before: Readonly<Record<Mode, readonly ScalingPoint[]>>,
  ) {
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
    const memory = await this.#memory(budget);
    using device = await openDevice({ prefer: this.#options.device ?? "wasm" });
    const rows = await SampledRows.draw(device, this.#input, seed);
    const approximate = await this.#time(device, budget, rows, REPEATS);
    if (approximate) found("fixed-budget", { ...approximate, peak_bytes: memory });

    found("exact", await this.#exact(device, rows));
    const certified = await this.#time(device, { epsilon, seed, delta: 0.05 }, rows, 3);
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

  #memory(request: AttentionOptions): Promise<number | null> {
    const { query, key, value, scale } = this.#input;
    const { peakGrowth } = this.#options;
    if (!peakGrowth) return Promise.resolve(null);
    return peakGrowth(async () => {
      using device = await openDevice({ prefer: this.#options.device ?? "wasm" });
      await attention(query, key, value, { ...request, scale, device });
    });
  }
}

/** The result of the first of several runs that nobody times. */
async function warmUp<T>(run: () => Promise<T>): Promise<T> {
  const start = performance.now(), first = await run();
  for (let at = 1; at < MOST_WARM_UPS && performance.now() - start < WARM_UP_MS; at++) await run();
  return first;
}
