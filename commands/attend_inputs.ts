import type { AttendOptions } from "./attend.ts";
import { UsageError } from "./arguments.ts";
import { readNpy } from "./npy/read.ts";
import type { ProgressLine } from "./progress.ts";
import { loadWorkload, type Workload, workloadNames } from "./workloads/workloads.ts";
import { unknownName } from "./arguments.ts";

/** Reads the tensors that the options name: three files, or a workload. */
export async function loadInputs(given: AttendOptions, progress: ProgressLine): Promise<Workload> {
  const { workload, n, batch, seed, head } = given;
  if (workload === undefined) {
    const [query, key, value] = await Promise.all([readNpy(given.q!), readNpy(given.k!), readNpy(given.v!)]);
    const scale = 1 / Math.sqrt(query.shape[query.shape.length - 1]);
    return { name: "files", query, key, value, scale, description: `${given.q}, ${given.k}, ${given.v}` };
  }
  if (!workloadNames.includes(workload)) {
    throw new UsageError(
      `${unknownName(`workload ${workload}`, workload, workloadNames)}; workloads: ${
        workloadNames.join(", ")
      }`,
    );
  }
  return await loadWorkload(workload, { n, batch, seed, head, onProgress: progress.update });
}
