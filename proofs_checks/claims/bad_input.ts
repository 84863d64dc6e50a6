import type { AttentionOptions } from "../../estimators/attention/options.ts";
import { Purpose, RandomStream } from "../../kernels/random.ts";
import { type Tensor, tensor } from "../../kernels/tensor.ts";
import { noInput, ownCase } from "../engine/cases.ts";
import type { Claim } from "../engine/claim.ts";
import { DELTA, linearSize } from "./settings.ts";

const NAMES = ["query", "key", "value"] as const;
const HEADS = 2, FEATURES = 5;

/** Arguments of a call, one of which may be wrong. */
interface Call {
  readonly query: Tensor;
  readonly key: Tensor;
  readonly value: Tensor;
  readonly options: Readonly<Record<string, unknown>>;
}

/** A call that must be refused, and words that its error must have. */
interface Refused {
  readonly call: Call;
  readonly words: readonly string[];
}

/** Normal rows of two heads. */
function rowsOf(random: RandomStream, count: number, features: number = FEATURES): Tensor {
  const data = Float32Array.from({ length: HEADS * count * features }, () => random.normal());
  return tensor(data, [HEADS, count, features]);
}

/** Without the checks of `tensor`. */
const unchecked = (data: Float32Array, shape: readonly number[]): Tensor => ({ data, shape });

/** Faults of one kind, of which a run takes one. */
const FAULTS: Readonly<
  Record<string, readonly ((call: Call, random: RandomStream, n: number) => Refused)[]>
> = {
  shapes: [
    (call) => {
      const { data } = call.query;
      const words = ["query must have at least 2 dimensions", `[${data.length}]`];
      return { call: { ...call, query: unchecked(data, [data.length]) }, words };
    },
    (call, random, n) => {
      const words = [`key has ${FEATURES + 1} features but query has ${FEATURES}`];
      return { call: { ...call, key: rowsOf(random, n, FEATURES + 1) }, words };
    },
    (call, random, n) => {
      return {
        call: { ...call, value: rowsOf(random, n + 1) },
        words: [`value has ${n + 1} rows but key has ${n}`],
      };
    },
    (call, random) => {
      const name = NAMES[random.integer(NAMES.length)], { data, shape: [heads, rows, width] } = call[name];
      const words = [
        name,
        `[${heads}, ${rows}, ${width + 1}] needs ${heads * rows * (width + 1)}`,
        `has ${data.length}`,
      ];
      return { call: { ...call, [name]: unchecked(data, [heads, rows, width + 1]) }, words };
    },
  ],
  values: [
    (call, random) => {
      const name = NAMES[random.integer(NAMES.length)], { shape: [, rows, width] } = call[name];
      const data = call[name].data.slice(), at = random.integer(data.length);
      const value = [NaN, Infinity, -Infinity][random.integer(3)], row = Math.floor(at / width);
      data[at] = value;
      const place = `row ${row % rows}, column ${at % width} of head ${Math.floor(row / rows)}`;
      return {
        call: { ...call, [name]: unchecked(data, call[name].shape) },
        words: [`${name} must be finite: ${place} is ${value}`],
      };
    },
  ],
  options: [
    ["scale", NaN, "scale must be a finite number"],
    ["epsilon", 1.5, "epsilon must lie between 0 and 1"],
    ["delta", 0, "delta must lie between 0 and 1"],
    ["seed", -1, "seed must be an integer from 0"],
    ["samples", 0, "samples must be an integer from 1"],
    ["bucketSize", 2.5, "bucketSize must be an integer from 1"],
    ["method", "exakt", "method must be one of"],
  ].map(([name, value, rule]) => (call: Call) => ({
    call: { ...call, options: { [name]: value } },
    words: [String(rule), String(value)],
  })),
};

/** What is no attention problem gets no answer. */
export const badInput: Claim = {
  name: "bad-input",
  statement:
    "A call with one thing wrong is refused, by an error that names the tensor or option, the place, the rule and the value",
  formula: "wrong input ⟹ TypeError or RangeError",
  source: "estimators/core/problem.ts; estimators/attention/attention.ts",
  assumptions: "two heads; one fault drawn for each run: of shapes, of a single value, or of an option",
  measurement: "0 where the error has the words that it must have, else 1",
  rule: { kind: "always", allowed: DELTA },
  bound: 0,
  cases: Object.keys(FAULTS).map((name) => ownCase(noInput(name))),
  anySource: false,
  n: 24,
  runs: 60,
  size: linearSize,
  async run({ implementation, device, family, n, seed, run }) {
    const random = new RandomStream(seed, Purpose.data), faults = FAULTS[family];
    const right = { query: rowsOf(random, n), key: rowsOf(random, n), value: rowsOf(random, n), options: {} };
    const { call: { query, key, value, options }, words } = faults[run % faults.length](right, random, n);
    try {
      await implementation.attention(query, key, value, { ...options, device } as AttentionOptions);
    } catch (error) {
      const isRefusal = error instanceof TypeError || error instanceof RangeError;
      if (isRefusal && words.every((word) => error.message.includes(word))) return { measured: 0 };
    }
    return { measured: 1 };
  },
};
