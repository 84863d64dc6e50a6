import type { Device } from "../../kernels/device.ts";
import { deviceFor } from "../../kernels/kept_devices.ts";
import { sizeOf } from "../../kernels/tensor.ts";
import { sampleQuantile } from "../statistics/quantile.ts";
import { meanValueError, productShares } from "./ends.ts";
import { type Entry, makeEntries, measureErrors, measureExact } from "./entries.ts";
import { paretoFront, undominated } from "./front.ts";
import {
  checkComparison,
  checkComparisonInput,
  type CheckedComparison,
  type ComparisonOptions,
} from "./options.ts";
import { rankMethods } from "./ranks.ts";
import type { NamedInput } from "../inputs/family.ts";
import {
  COMPARISON_SCHEMA,
  COMPARISON_VERSION,
  type ComparisonReport,
  COMPARISONS_SCHEMA,
  type ComparisonsReport,
  isMeasured,
} from "./report.ts";
import { timeInTurn, warmUp } from "./time_in_turn.ts";

/** Every method has run with every seed before, so little is left to warm up. */
const WARM_UP_MS = 300;
/** Of several inputs, no method at a budget starts another seed after so many seconds. */
const MOST_SECONDS = 2;

/** How thoroughly an input is measured. */
interface Pace {
  /** Milliseconds of warm-up of each point. */
  readonly warmUpMs: number;
  /** Whether times are those of rounds of their own; else of the runs that tell errors. */
  readonly timed: boolean;
  readonly mostSeconds: number;
}

/**
 * Error against time of every method: errors over several seeds against exact attention on the same device, then times
 * in interleaved rounds, which take the seeds in turn. A method that refuses the problem is a point that says why.
 *
 * @throws {RangeError} If an option is out of range, or the problem is one that exact attention refuses.
 * @throws {TypeError} If shapes do not fit, or an argument is of the wrong type or an option unknown.
 */
export async function measureComparison(
  input: NamedInput,
  options: ComparisonOptions = {},
): Promise<ComparisonReport> {
  checkComparisonInput(input);
  const checked = checkComparison(options);
  const pace = { warmUpMs: WARM_UP_MS, timed: true, mostSeconds: Infinity };
  return await compareOn(await deviceFor(checked.device), input, checked, pace);
}

/**
 * {@link measureComparison} of several inputs, one after the other, and where each method stands among them. Where no rounds are asked for,
 * times are those of the runs that tell errors, and a slow method runs with fewer seeds. Aborted, it gives the report of the inputs that
 * were done.
 *
 * @throws {RangeError} As for one.
 * @throws {TypeError} As for one.
 */
export async function measureComparisons(
  inputs: AsyncIterable<NamedInput> | Iterable<NamedInput>,
  options: ComparisonOptions = {},
): Promise<ComparisonsReport> {
  const checked = checkComparison(options), timed = options.repeat !== undefined, start = performance.now();
  const device = await deviceFor(checked.device), comparisons: ComparisonReport[] = [];
  let interrupted = false;
  try {
    for await (const input of inputs) {
      checkComparisonInput(input);
      const onProgress: typeof checked.onProgress = checked.onProgress &&
        ((done, total, what) => checked.onProgress!(done, total, `${input.name}: ${what}`));
      const own = { ...checked, onProgress };
      const warmUpMs = timed && comparisons.length === 0 ? WARM_UP_MS : 0;
      comparisons.push(await compareOn(device, input, own, { warmUpMs, timed, mostSeconds: MOST_SECONDS }));
    }
  } catch (error) {
    // What was measured is kept.
    if (!checked.signal?.aborted || comparisons.length === 0) throw error;
    interrupted = true;
  }
  return {
    schema: COMPARISONS_SCHEMA,
    version: COMPARISON_VERSION,
    device: device.kind,
    adapter: device.adapter,
    seconds: (performance.now() - start) / 1000,
    interrupted,
    ranks: rankMethods(comparisons),
    comparisons,
    replay: checked.replay ?? "",
  };
}

/** One input on an open device. */
async function compareOn(
  device: Device,
  input: NamedInput,
  checked: CheckedComparison,
  { warmUpMs, timed, mostSeconds }: Pace,
): Promise<ComparisonReport> {
  const { seeds, seed, onProgress } = checked, repeat = timed ? checked.repeat : 0, start = performance.now();
  const { exact, others } = makeEntries(input, { ...checked, device }), entries = [exact, ...others];
  // Errors, a warm-up of each, and the rounds.
  const total = (timed ? 2 : 1) * entries.length + repeat;
  const tell = (done: number, what: string) => onProgress?.(done, total, what);

  tell(0, "attending exactly");
  const reference = await measureExact(exact, seed);
  const meanValue = await meanValueError(input, checked.causal, device, reference);
  const products = await productShares(input, checked.causal, device, reference);
  const untimed = new Map<Entry, number[]>();
  for (const [at, entry] of entries.entries()) {
    tell(at, `measuring the error of ${entry.point.method}`);
    const runs = { seed, seeds, mostSeconds };
    untimed.set(entry, await measureErrors(entry, runs, { exact: reference, products }));
  }
  const taken = entries.filter(({ point }) => isMeasured(point));
  for (const [at, { point, run }] of timed ? taken.entries() : []) {
    tell(entries.length + at, `warming up ${point.method}`);
    await warmUp(() => run(seed), warmUpMs);
  }
  if (checked.peakMemory) {
    for (const [at, entry] of taken.entries()) {
      tell(entries.length + at, `measuring the memory of ${entry.point.method}`);
      checked.signal?.throwIfAborted();
      const options = { ...entry.options, causal: checked.causal, seed };
      const bytes = await checked.peakMemory(input, { device: device.kind, options });
      entry.point = { ...entry.point, "peak_bytes": bytes };
    }
  }
  const times = timed
    ? await timeInTurn(
      taken.map(({ run }) => async (round) => (await run(seed + round % seeds)).stats.seconds),
      repeat,
      (round) => tell(2 * entries.length + round, "timing"),
    )
    : taken.map((entry) => untimed.get(entry)!);
  const medians = times.map((seconds) => sampleQuantile(seconds, 0.5));
  const front = paretoFront(taken.map(({ point }, at) => ({ seconds: medians[at], error: point.error! })));
  const counted = undominated(
    taken.map(({ point }) => ({ cost: point.evaluations_per_query!, error: point.error! })),
  );
  for (const [at, entry] of taken.entries()) {
    const seconds = medians[at], speedup = medians[0] / seconds;
    entry.point = {
      ...{ ...entry.point, seconds, all_seconds: times[at], speedup, front: front[at] },
      "front_of_evaluations": counted[at],
    };
  }
  return {
    schema: COMPARISON_SCHEMA,
    version: COMPARISON_VERSION,
    problem: describe(input, checked.causal ?? false),
    device: device.kind,
    adapter: device.adapter,
    seed,
    seeds,
    repeat,
    seconds: (performance.now() - start) / 1000,
    "mean_value_error": meanValue,
    points: entries.map(({ point }) => point),
    replay: checked.replay ?? "",
  };
}

function describe(
  { name, description, query, key, value, scale }: NamedInput,
  causal: boolean,
): ComparisonReport["problem"] {
  const [queries, features] = query.shape.slice(-2);
  return {
    workload: name,
    description,
    n_q: queries,
    n_k: key.shape[key.shape.length - 2],
    d: features,
    d_v: value.shape[value.shape.length - 1],
    heads: sizeOf(query.shape.slice(0, -2)),
    scale,
    causal,
  };
}
