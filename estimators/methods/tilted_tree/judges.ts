import type { Backend } from "../../../kernels/backend.ts";
import type { HostAttention } from "../../core/exact.ts";
import type { Problem } from "../../core/problem.ts";
import { type ErrorSums, sumsOfHead } from "../held_out.ts";
import { type PickedHeads, pickProbes, type ProbedRows } from "../shared/probed_heads.ts";
import { attendToOpened, type OpenedLists, type PlantedTree } from "./attend_lists.ts";

/** Exact rows of one head, by which the lists of its tree are judged. */
export class Judges {
  /** Which rows they are. */
  probed: ProbedRows;
  exact: HostAttention = { output: new Float32Array(), logSumExp: new Float32Array() };
  /** [valueFeatures] */
  meanValue = new Float32Array();

  /** Further rows are drawn with another seed than the first. */
  constructor(
    readonly backend: Backend,
    readonly problem: Problem,
    readonly first: PickedHeads,
    readonly seed: number,
  ) {
    this.probed = first;
  }

  /** Computes the first rows. */
  async read(signal?: AbortSignal): Promise<void> {
    const { shape, probeRows, probes, valueMean } = this.first;
    const exact = this.backend.attend({ ...shape, query: probeRows, queries: probes });
    const [output, logSumExp, mean] = await this.backend.run(
      [exact.output, exact.logSumExp, valueMean],
      signal,
    ) as Float32Array[];
    this.exact = { output, logSumExp };
    this.meanValue = mean as Float32Array<ArrayBuffer>;
  }

  /** Calls about as many rows again, once: false if they have been called before. Few rows with large errors make those of a sample vary, most of all upwards. */
  async call(signal?: AbortSignal): Promise<boolean> {
    const { backend, problem, first, seed } = this, { shape, queries, query } = first;
    if (this.probed !== first) return false;
    const counts = { uniform: 0, outlying: 0, heldOut: first.probes }, known = new Set(first.picks);
    const other = (seed + 1) % (Number.MAX_SAFE_INTEGER + 1);
    const picks = pickProbes(problem, counts, other, { first: 0, count: 1 }).filter((row) => !known.has(row));
    const rows = backend.gatherRows({
      rows: query,
      index: backend.upload(picks),
      heads: 1,
      count: queries,
      width: shape.features,
      picks: picks.length,
    });
    const exact = backend.attend({ ...shape, query: rows, queries: picks.length });
    const [output, logSumExp] = await backend.run([exact.output, exact.logSumExp], signal) as Float32Array[];
    this.exact = {
      output: joined(this.exact.output, output),
      logSumExp: joined(this.exact.logSumExp, logSumExp),
    };
    const all = Uint32Array.from([...first.picks, ...picks]);
    this.probed = { shape, queries, probes: all.length, picks: all };
    return true;
  }

  /** What attention of the rows to some lists says of the others. */
  async judge(planted: PlantedTree, opened: OpenedLists, signal?: AbortSignal): Promise<ErrorSums> {
    const { backend, meanValue, probed: { picks, probes, queries }, first } = this;
    const labels = labelsOf(planted, queries), sizes = new Uint32Array(planted.clusters.sizes.length);
    for (const pick of picks) sizes[labels[pick]]++;
    const order = Uint32Array.from(picks.keys()).sort((a, b) => labels[picks[a]] - labels[picks[b]]);
    const query = probes === first.probes ? first.probeRows : backend.gatherRows({
      rows: first.query,
      index: backend.upload(picks),
      heads: 1,
      count: queries,
      width: first.shape.features,
      picks: probes,
    });
    const rows = { query, queries: probes, order, sizes };
    const [output] = await backend.run([attendToOpened(backend, planted, opened, rows).output], signal);
    const held = { output: output as Float32Array, meanValue, standFor: queries - probes };
    return sumsOfHead(held, this.exact.output, queries);
  }
}

/** The cluster of each query. */
function labelsOf({ clusters: { sizes, order } }: PlantedTree, queries: number): Uint32Array {
  const labels = new Uint32Array(queries);
  let from = 0;
  sizes.forEach((size, cluster) => {
    for (const end = from + size; from < end; from++) labels[order?.[from] ?? from] = cluster;
  });
  return labels;
}

function joined(a: Float32Array, b: Float32Array): Float32Array {
  const both = new Float32Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}
