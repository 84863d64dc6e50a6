/** Time, memory and error as n grows. */
import { loadIfAny } from "../commands/scaling.ts";
import { peakMemory } from "../commands/peak_memory.ts";
import { measureScaling } from "../proofs_checks/scaling/measure.ts";
import { BUDGET } from "../proofs_checks/scaling/options.ts";
import type { ScalingPoint, ScalingReport, ScalingSeries } from "../proofs_checks/scaling/report.ts";
import { digits, markdownTable, medianAndRange } from "./markdown.ts";
import { tell } from "./timing.ts";

const EPSILON = 0.3, SMALLEST = 1024, LARGEST = 131072;
/** Seconds that one run may take; exact attention beyond is extrapolated. */
const LIMIT = 40;
const WORKLOADS = ["gaussian", "clustered"];

const NAMES: Record<ScalingSeries["mode"], string> = {
  exact: "exact",
  "fixed-budget": `${BUDGET.bucket} + ${BUDGET.samples} keys`,
  "fixed-epsilon": `certified ${EPSILON}`,
};

/** Seconds of a point, and whether they are measured and approximate at all. */
function timeOf(point: ScalingPoint | undefined): string {
  if (!point) return "–";
  if (point.extrapolated) return `${digits(point.seconds)} extrapolated`;
  return medianAndRange(point.all_seconds) + (point.fell_back ? " exact" : "");
}

const orDash = (value: number | null | undefined) =>
  value === null || value === undefined ? "–" : digits(value);

/** One row for each series: how it grows, and what it comes to at its largest n. */
function growth({ series }: ScalingReport): string {
  const rows = series.map((one) => {
    const last = one.points[one.points.length - 1], [low, high] = one.slope_interval ?? [NaN, NaN];
    return [
      one.workload,
      NAMES[one.mode],
      one.slope === null ? "–" : `${digits(one.slope, 3)} (${digits(low, 3)}–${digits(high, 3)})`,
      orDash(one.evaluations_slope),
      orDash(one.memory_slope),
      one.crossover === null ? "–" : String(Math.round(one.crossover)),
      last ? String(last.n) : "–",
      orDash(last?.error),
      orDash(last?.error_output),
    ];
  });
  const head = ["input", "keys", "slope of time", "of evaluations", "of memory", "faster than exact from n"];
  return markdownTable([...head, "largest n", "error there", "‖Att~ − Att‖/‖Att‖ there"], rows);
}

/** One row for each input and size: seconds of every mode, and memory. */
function sizes({ series }: ScalingReport): string {
  const rows = WORKLOADS.flatMap((workload) => {
    const find = (mode: ScalingSeries["mode"], n: number) =>
      series.find((one) => one.workload === workload && one.mode === mode)?.points.find((point) =>
        point.n === n
      );
    const exact = series.find((one) => one.workload === workload && one.mode === "exact")?.points ?? [];
    return exact.map(({ n }) => {
      const memory = find("fixed-budget", n)?.peak_bytes;
      return [
        workload,
        String(n),
        ...(["exact", "fixed-budget", "fixed-epsilon"] as const).map((mode) => timeOf(find(mode, n))),
        memory ? digits(memory / 1e6, 3) : "–",
      ];
    });
  });
  return markdownTable(
    ["input", "n", ...Object.values(NAMES).map((name) => `${name}, s`), "memory, MB"],
    rows,
  );
}

/** The section. */
export async function scaling([max = LARGEST]: readonly number[]): Promise<string> {
  const report = await measureScaling({
    min: SMALLEST,
    max,
    epsilon: EPSILON,
    workloads: WORKLOADS,
    limit: LIMIT,
    load: loadIfAny,
    peakMemory,
    onPoint: (workload, mode, { n, seconds }) => tell(`${workload}, ${mode}, n = ${n}: ${digits(seconds)} s`),
  });
  return [
    `WebAssembly, d = 64: exact attention, \`kdeformer-practical\` at ${BUDGET.bucket} + ${BUDGET.samples} keys for ` +
    `each query, and \`auto\` with a certified error of ${EPSILON}, which falls back to exact attention where that ` +
    "costs less. Slopes are exponents of n from 4,096 on, those of the time with 95 % bootstrap intervals. Errors " +
    "are those on 128 rows computed exactly, relative to ‖V‖ and to ‖Att‖. `cli.ts scaling` measures the same " +
    "with other options.",
    growth(report),
    "Medians and ranges of the repetitions; memory is the growth of the resident memory of a process that attends " +
    `once at the fixed budget, its input not counted. Exact runs of more than ${LIMIT} s are extrapolated by the ` +
    'square of n; "exact" behind a certified time means that the output was computed exactly.',
    sizes(report),
  ].join("\n\n");
}
