import type { Backend, DeviceArray } from "../../../kernels/backend.ts";
import type { Problem } from "../../core/problem.ts";
import type { HeadRun } from "../run_heads.ts";
import { drawHyperplanes } from "./hash_draws.ts";
import { sampledMean } from "./sampled_mean.ts";

/** Rows in the order of their hash, and the place of each row in it: as `Backend.sortByBucket` gives them. */
type Sorted = ReturnType<Backend["sortByBucket"]>;

/** The queries and the keys of a run of heads, both by the same hyperplanes, drawn for their heads. */
export function sortQueriesAndKeys(
  backend: Backend,
  { queries, keys, features: width }: Problem,
  { query, key, projections, seed, run }: {
    readonly query: DeviceArray;
    readonly key: DeviceArray;
    readonly projections: number;
    readonly seed: number;
    readonly run: HeadRun;
  },
): { readonly byQuery: Sorted; readonly byKey: Sorted } {
  const hyperplanes = backend.upload(drawHyperplanes(seed, run, projections, width));
  const hash = { hyperplanes, heads: run.count, width, projections };
  return {
    byQuery: sortByHash(backend, { ...hash, rows: query, count: queries }),
    byKey: sortByHash(backend, { ...hash, rows: key, count: keys }),
  };
}

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
): Sorted {
  const { heads, count, projections } = args;
  const ranks = backend.angularHash({ ...args, shift: sampledMean(backend, args) });
  return backend.sortByBucket({ ranks, heads, count, buckets: 2 ** projections });
}
