import type { AttendArguments, Backend } from "../../../../kernels/backend.ts";
import { type Case, count, floats, heads, words } from "./shapes.ts";

/** Features and value features: every number of rows that registers hold, tiles of every size, chunks of values. */
const SIZES = [
  [1, 1],
  [15, 15],
  [16, 64],
  [64, 64],
  [100, 30],
  [128, 132],
  [256, 256],
  [512, 4],
  [600, 700],
];

/** What each rule of visibility adds to the arguments; each is an `override` of the kernels. */
const RULES: readonly ((backend: Backend) => Partial<AttendArguments>)[] = [
  (backend) => ({ logWeights: floats(backend, heads, count) }),
  () => ({ causal: { period: count, offset: 0 } }),
  (backend) => ({ exclude: { keyBlocks: words(backend, heads, count), blocks: 3 } }),
  (backend) => ({ queryOrder: words(backend, heads, count) }),
  (backend) => ({ keyOrder: words(backend, heads, count) }),
  (backend) => ({
    samples: {
      count: 4,
      index: words(backend, heads, 4),
      logWeights: floats(backend, heads, 4),
      position: words(backend, heads, count),
    },
  }),
  (backend) => ({ bounds: { positions: words(backend, heads, 3, 4), mostQueries: count, mostKeys: count } }),
];

/** Attention of every size, and with every set of rules. */
export function attendCases(): Case[] {
  const sets = Array.from({ length: 2 ** RULES.length }, (_, set) => set);
  return [
    ...SIZES.map(([features, valueFeatures]) => attendCase(features, valueFeatures, 0)),
    ...sets.map((set) => attendCase(16, 5, set)),
    ...SIZES.map(([features, valueFeatures]) =>
      attendCase(features, valueFeatures, 0, { halves: { largestKey: 1, largestValue: 1 } })
    ),
    ...SIZES.map(([features, valueFeatures]) => attendCase(features, valueFeatures, 0, { distances: true })),
    attendCase(16, 5, sets.length - 1, { distances: true }),
    manyKeys(2 ** 10, 1),
    // More than two splits take in one dispatch.
    manyKeys(2 ** 16, 256),
  ];
}

/** Attention of a width that a tuning has a tile for. */
export function tunedCase(width: number): Case {
  return attendCase(width, width, 0);
}

/** Few queries and many keys, which are sampled ones so that they take no room: they are split where a device has many cores. */
function manyKeys(samples: number, queries: number): Case {
  return (backend) => {
    const shape = { heads: 1, queries, keys: 1, blocks: queries, features: 4, valueFeatures: 4, scale: 1 };
    const sampled = { count: samples, index: words(backend, samples) };
    backend.attend({
      ...shape,
      query: floats(backend, queries, 4),
      key: floats(backend, 4),
      value: floats(backend, 4),
      samples: { ...sampled, logWeights: floats(backend, samples), position: words(backend, 1) },
    });
  };
}

/** Bit i of `set` stands for rule i. */
function attendCase(
  features: number,
  valueFeatures: number,
  set: number,
  form: Pick<AttendArguments, "halves" | "distances"> = {},
): Case {
  return (backend) => {
    const rows = floats(backend, heads, count, features);
    const args: AttendArguments = {
      heads,
      queries: count,
      keys: count,
      features,
      valueFeatures,
      scale: 1,
      blocks: 3,
      query: rows,
      key: rows,
      value: floats(backend, heads, count, valueFeatures),
    };
    const rules = RULES.filter((_, at) => set >> at & 1).map((rule) => rule(backend));
    backend.attend(Object.assign(args, form, ...rules));
  };
}
