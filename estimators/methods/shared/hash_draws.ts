import { Purpose, RandomStream } from "../../../kernels/random.ts";
import type { HeadRun } from "../run_heads.ts";

/** Gaussian hyperplanes [count, projections, features], one stream per head. */
export function drawHyperplanes(
  seed: number,
  { first, count }: HeadRun,
  projections: number,
  features: number,
): Float32Array {
  const hyperplanes = new Float32Array(count * projections * features);
  for (let head = 0; head < count; head++) {
    const stream = new RandomStream(seed, Purpose.hyperplanes, first + head);
    for (let at = 0; at < projections * features; at++) {
      hyperplanes[head * projections * features + at] = stream.normal();
    }
  }
  return hyperplanes;
}

/** Distinct query rows [count, probes], one stream per head. */
export function drawProbes(
  seed: number,
  { first, count }: HeadRun,
  probes: number,
  queries: number,
): Uint32Array {
  const rows = new Uint32Array(count * probes);
  for (let head = 0; head < count; head++) {
    rows.set(new RandomStream(seed, Purpose.probes, first + head).distinct(probes, queries), head * probes);
  }
  return rows;
}

/** About one bucket per block, so that a block holds rows of few neighbouring buckets. */
export function defaultProjections(keys: number, bucketSize: number): number {
  return Math.min(24, Math.max(1, Math.ceil(Math.log2(keys / bucketSize))));
}
