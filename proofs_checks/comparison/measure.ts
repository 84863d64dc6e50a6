import { deviceFor } from "../../kernels/kept_devices.ts";
import { sizeOf } from "../../kernels/tensor.ts";
import { sampleQuantile } from "../statistics/quantile.ts";
import { makeEntries, measureErrors, measureExact } from "./entries.ts";
import { paretoFront } from "./front.ts";
import { checkComparison, type ComparisonInput, type ComparisonOptions } from "./options.ts";
import { COMPARISON_SCHEMA, COMPARISON_VERSION, type ComparisonReport, isMeasured } from "./report.ts";
import { timeInTurn, warmUp } from "./time_in_turn.ts";

/** Every method has run with every seed before, so little is left to warm up. */
const WARM_UP_MS = 300;

/**
 * Error against time of every method: errors over several seeds against exact attention on the same device, then times
 * in interleaved rounds, which take the seeds in turn. A method that refuses the problem is a point that says why.
 *
 * @throws {RangeError} If an option is out of range, or the problem is one that exact attention refuses.
 * @throws {TypeError} If shapes do not fit.
 */
export async function measureComparison(
  input: ComparisonInput,
  options: ComparisonOptions = {},
): Promise<ComparisonReport> {
  const checked = checkComparison(options), { seeds, seed, repeat, onProgress } = checked;
  const start = performance.now();
  const device = await deviceFor(checked.device);
  const { exact, others } = makeEntries(input, { ...checked, device }), entries = [exact, ...others];
  // Errors, a warm-up of each, and the rounds.
  const total = 2 * entries.length + repeat;
  const tell = (done: number, what: string) => onProgress?.(done, total, what);

  tell(0, "attending exactly");
  const reference = await measureExact(exact, seed);
  for (const [at, entry] of others.entries()) {
    tell(at + 1, `measuring the error of ${entry.point.method}`);
    await measureErrors(entry, seed, seeds, reference);
  }
  const taken = entries.filter(({ point }) => isMeasured(point));
  for (const [at, { point, run }] of taken.entries()) {
    tell(entries.length + at, `warming up ${point.method}`);
    await warmUp(() => run(seed), WARM_UP_MS);
  }
  const times = await timeInTurn(
    taken.map(({ run }) => async (round) => (await run(seed + round % seeds)).stats.seconds),
    repeat,
    (round) => tell(2 * entries.length + round, "timing"),
  );
  const medians = times.map((seconds) => sampleQuantile(seconds, 0.5));
  const front = paretoFront(taken.map(({ point }, at) => ({ seconds: medians[at], error: point.error! })));
  for (const [at, entry] of taken.entries()) {
    const seconds = medians[at], speedup = medians[0] / seconds;
    entry.point = { ...entry.point, seconds, all_seconds: times[at], speedup, front: front[at] };
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
    points: entries.map(({ point }) => point),
    replay: checked.replay ?? "",
  };
}

function describe(
  { name, description, query, key, value, scale }: ComparisonInput,
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
