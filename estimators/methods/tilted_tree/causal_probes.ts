import type { Backend, DeviceArray } from "../../../kernels/backend.ts";
import type { HostAttention } from "../../core/exact.ts";
import { RectangleMerger } from "../rectangle_merger.ts";

/** Rows of queries, each of which sees the first keys of its head, as many as `ends` says. */
export interface CausalProbes {
  readonly heads: number;
  /** Of a head. */
  readonly probes: number;
  /** [heads, probes]: rows of `query`. */
  readonly picks: Uint32Array;
  /** [heads, probes] */
  readonly ends: Uint32Array;
  /** [heads, queries, features] */
  readonly query: DeviceArray;
  readonly queries: number;
  /** [heads, keys, features] */
  readonly key: DeviceArray;
  /** [heads, keys, valueFeatures] */
  readonly value: DeviceArray;
  readonly keys: number;
  readonly features: number;
  readonly valueFeatures: number;
  readonly scale: number;
}

/** Exact attention of probes in parts, which merge to that of each: see {@link attendProbesInParts}. */
export interface ProbeParts {
  /** What has to be read for `merge`. */
  readonly outputs: readonly DeviceArray[];
  /** [heads, probes, …], from what was read. */
  merge(read: readonly Float32Array[]): HostAttention;
}

/**
 * Records exact attention of probes to the keys that each of them sees. The keys are cut where the sight of a probe ends; those up to
 * the first end are seen by all probes, those up to the next by all but one, and so on, so that no pair is computed that is not seen.
 */
export function attendProbesInParts(backend: Backend, given: CausalProbes): ProbeParts {
  const { heads, probes, picks, ends, query, queries, features } = given;
  const rows = probes * (probes + 1) / 2,
    index = new Uint32Array(heads * rows),
    owners = new Uint32Array(heads * rows);
  const positions = new Uint32Array(4 * heads * probes);
  let mostKeys = 1;
  for (let head = 0, at = 0; head < heads; head++) {
    const own = Array.from({ length: probes }, (_, probe) => head * probes + probe).sort((a, b) =>
      ends[a] - ends[b]
    );
    own.forEach((nearest, part) => {
      const from = part === 0 ? 0 : ends[own[part - 1]], row = at - head * rows;
      for (const probe of own.slice(part)) {
        index[at] = picks[probe];
        owners[at++] = probe;
      }
      positions.set([row, at - head * rows, from, ends[nearest]], 4 * (head * probes + part));
      mostKeys = Math.max(mostKeys, ends[nearest] - from);
    });
  }
  const stacked = backend.gatherRows({
    rows: query,
    index: backend.upload(index),
    heads,
    count: queries,
    width: features,
    picks: rows,
  });
  const { output, logSumExp } = backend.attend({
    ...given,
    query: stacked,
    queries: rows,
    blocks: probes,
    bounds: { positions: backend.upload(positions), mostQueries: probes, mostKeys },
  });
  return {
    outputs: [output, logSumExp],
    merge([output, logSumExp]) {
      const merger = new RectangleMerger({ heads, queries: probes, valueFeatures: given.valueFeatures });
      const members = Array.from(owners, (probe) => ({
        head: Math.floor(probe / probes),
        firstQuery: probe % probes,
      }));
      merger.add({ members, problem: { queries: 1 } }, { output, logSumExp });
      return merger.result();
    },
  };
}
