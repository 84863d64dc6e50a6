import type { Backend, DeviceArray } from "../../../kernels/backend.ts";
import { sampledMean } from "./sampled_mean.ts";

/**
 * Rows in the order of an angular hash about their own centre. Queries and keys are each centred by themselves: what
 * all queries have in common gives every one of them the same preference among keys, which sampling sees to, and a
 * centre that only one side has left makes the other's buckets unequal, so that blocks of equal ranks part.
 */
export function sortByHash(
  backend: Backend,
  args: {
    /** [heads, count, width] */
    readonly rows: DeviceArray;
    /** [heads, projections, width] */
    readonly hyperplanes: DeviceArray;
    readonly heads: number;
    readonly count: number;
    readonly width: number;
    readonly projections: number;
  },
): { readonly order: DeviceArray; readonly position: DeviceArray } {
  const { heads, count, projections } = args;
  const ranks = backend.angularHash({ ...args, shift: sampledMean(backend, args) });
  return backend.sortByBucket({ ranks, heads, count, buckets: 2 ** projections });
}
