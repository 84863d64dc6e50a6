import type { DeviceKind } from "../../kernels/backend.ts";
import { REPORT_VERSION } from "../engine/report.ts";
import { inputFamily } from "../inputs/families.ts";
import type { AttentionInput } from "../inputs/family.ts";
import { BUDGET, checkScaling, type ScalingOptions } from "./options.ts";
import { SCALING_SCHEMA, type ScalingPoint, type ScalingReport, type ScalingSeries } from "./report.ts";
import { type Mode, ScalingSize } from "./scaling_size.ts";
import { withSlopes } from "./slopes.ts";

/**
 * Time, key evaluations, memory and error over n: of exact attention as far as it is bearable, at a fixed budget, and at a fixed
 * certified error with the budget free, which may fall back to exact attention and then says so.
 *
 * @throws {TypeError} If an option is unknown or of the wrong type.
 * @throws {RangeError} If one is out of range, or a workload unknown.
 */
export async function measureScaling(options: ScalingOptions = {}): Promise<ScalingReport> {
  checkScaling(options);
  const { min = 1024, max = 16_384, workloads = ["gaussian", "clustered"], seed = 1, epsilon = 0.3 } =
    options;
  const start = performance.now(), series: ScalingSeries[] = [];
  let device = "", adapter = "";
  for (const workload of workloads) {
    const points: Record<Mode, ScalingPoint[]> = { "exact": [], "fixed-budget": [], "fixed-epsilon": [] };
    for (let n = min; n <= max; n *= 2) {
      const input = await (options.load ?? loadFamily)(workload, n, seed);
      if (!input) break;
      const size = new ScalingSize(workload, input, n, options, points);
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
