import type { Backend, PartialAttention } from "../../kernels/backend.ts";
import { Purpose, RandomStream } from "../../kernels/random.ts";
import type { Problem } from "../../estimators/core/problem.ts";
import type { Setting } from "../errors/rivals.ts";
import type { FindRerun, Rerun } from "./rerun.ts";

/** Hyperplanes of the hash. */
const PROJECTIONS = 7;

/**
 * HyperAttention as its public code has it, from our primitives. Our method departs from it in two ways: it hashes about the means of queries and of keys, which the public code does about 0, and draws one key from each
 * stretch of their order, where the public code draws with replacement.
 */
export const rerunHyperattention: FindRerun = ({ size, variant = "" }: Setting): Rerun => ({
  random: true,
  run: async (backend, problem, seed) => {
    const budget = { blockSize: size! / 3, samples: size! * 2 / 3 };
    const { output } = record(
      backend,
      problem,
      { ...budget, masked: variant.includes("mask applied") },
      seed,
    );
    const [found] = await backend.run([output]);
    return found as Float32Array;
  },
});

function record(
  backend: Backend,
  { queries, keys, features, valueFeatures, scale, ...data }: Problem,
  { blockSize, samples, masked }: {
    readonly blockSize: number;
    readonly samples: number;
    /** Whether keys of a query's block are hidden among those sampled, as the public code means to. */
    readonly masked: boolean;
  },
  seed: number,
): PartialAttention {
  const [query, key, value] = [data.query, data.key, data.value].map((rows) => backend.upload(rows));
  const normal = new RandomStream(seed, Purpose.publishedHash),
    draw = new RandomStream(seed, Purpose.publishedSamples);
  const hyperplanes = backend.upload(
    Float32Array.from({ length: PROJECTIONS * features }, () => normal.normal()),
  );
  const sort = (rows: typeof query, count: number) => {
    const hash = { rows, hyperplanes, heads: 1, count, width: features, projections: PROJECTIONS };
    return backend.sortByBucket({
      ranks: backend.angularHash(hash),
      heads: 1,
      count,
      buckets: 2 ** PROJECTIONS,
    });
  };
  const byQuery = sort(query, queries), byKey = sort(key, keys);
  const index = backend.upload(Uint32Array.from({ length: samples }, () => draw.integer(keys)));
  const logWeights = backend.upload(new Float32Array(samples).fill(Math.log(keys / samples)));
  const shape = { heads: 1, queries, features, valueFeatures, scale, query };
  const blocks = {
    ...{ ...shape, keys, key, value, blocks: Math.ceil(keys / blockSize) },
    ...{ queryOrder: byQuery.order, keyOrder: byKey.order },
  };
  if (masked) {
    const { position } = byKey;
    return backend.attend({ ...blocks, samples: { count: samples, index, logWeights, position } });
  }
  const pick = (rows: typeof query, width: number) =>
    backend.gatherRows({ rows, index, heads: 1, count: keys, width, picks: samples });
  const sampled = backend.attend({
    ...{ ...shape, keys: samples, key: pick(key, features), value: pick(value, valueFeatures), logWeights },
  });
  return backend.mergeAttention({
    ...{ first: backend.attend(blocks), second: sampled, heads: 1, queries, valueFeatures },
  });
}
