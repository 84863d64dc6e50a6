import { makeProblem, type Problem } from "../../estimators/core/problem.ts";
import { Purpose, RandomStream } from "../../kernels/random.ts";
import { holdsOn } from "../engine/cases.ts";
import type { Claim, RunContext } from "../engine/claim.ts";
import { DELTA, SINGLE, VALUE_FEATURES } from "./settings.ts";

const BUDGET = { bucketSize: 16, samples: 24 };
type Attend = (problem: Problem) => Promise<Float32Array>;

/** A change of the input, and what it must do to the output. */
interface Invariance {
  readonly name: string;
  readonly statement: string;
  readonly formula: string;
  /** Whether approximations keep it too, draw for draw. */
  readonly approximate: boolean;
  /** Largest difference from what must come out, in units of the largest value. */
  measure(problem: Problem, attend: Attend, random: RandomStream): Promise<number>;
}

const permuteRows = (rows: Float32Array, width: number, order: Uint32Array) =>
  Float32Array.from(rows, (_, at) => rows[order[Math.floor(at / width)] * width + at % width]);

function largestDifference(a: ArrayLike<number>, b: (at: number) => number): number {
  let largest = 0;
  for (let at = 0; at < a.length; at++) largest = Math.max(largest, Math.abs(a[at] - b(at)));
  return largest;
}

const invariances: readonly Invariance[] = [
  {
    name: "value-shift",
    statement: "A constant added to all values is added to the output",
    formula: "Att(V + 1cᵀ) = Att(V) + 1cᵀ",
    approximate: true,
    async measure(problem, attend) {
      const before = await attend(problem);
      const after = await attend({
        ...problem,
        value: problem.value.map((x) => x + 4),
        largestValue: problem.largestValue + 4,
      });
      return largestDifference(after, (at) => before[at] + 4) / (problem.largestValue + 4);
    },
  },
  {
    name: "value-scale",
    statement: "Values scaled by a factor scale the output by it",
    formula: "Att(cV) = c Att(V)",
    approximate: true,
    async measure(problem, attend) {
      const before = await attend(problem), factor = 2 ** 12;
      const value = problem.value.map((x) => x * factor);
      const after = await attend({ ...problem, value, largestValue: problem.largestValue * factor });
      return largestDifference(after, (at) => factor * before[at]) / factor / problem.largestValue;
    },
  },
  {
    name: "key-shift",
    statement: "A vector added to all keys changes nothing",
    formula: "Att(K + 1uᵀ) = Att(K)",
    approximate: true,
    async measure(problem, attend, random) {
      // Keys and shift on a grid, so that the moved keys are exact in single precision; so is every centred difference.
      const grid = 2 ** -10,
        shift = Float64Array.from({ length: problem.features }, () => random.integer(4096) * grid);
      const key = problem.key.map((x) => Math.round(x / grid) * grid);
      const before = await attend({ ...problem, key });
      const after = await attend({ ...problem, key: key.map((x, at) => x + shift[at % problem.features]) });
      return largestDifference(after, (at) => before[at]) / problem.largestValue;
    },
  },
  {
    name: "key-order",
    statement: "The order of the keys does not matter to exact attention",
    formula: "Att(ΠK, ΠV) = Att(K, V)",
    approximate: false,
    async measure(problem, attend, random) {
      const { keys, features, valueFeatures } = problem, order = random.distinct(keys, keys);
      const before = await attend(problem);
      const after = await attend({
        ...problem,
        key: permuteRows(problem.key, features, order),
        value: permuteRows(problem.value, valueFeatures, order),
      });
      return largestDifference(after, (at) => before[at]) / problem.largestValue;
    },
  },
  {
    name: "query-order",
    statement: "Queries are answered independently of each other by exact attention",
    formula: "Att(ΠQ) = Π Att(Q)",
    approximate: false,
    async measure(problem, attend, random) {
      const { queries, features, valueFeatures: width } = problem, order = random.distinct(queries, queries);
      const before = await attend(problem);
      const after = await attend({ ...problem, query: permuteRows(problem.query, features, order) });
      return largestDifference(after, (at) => before[order[Math.floor(at / width)] * width + at % width]) /
        problem.largestValue;
    },
  },
  {
    name: "rotation",
    statement: "A rotation of queries and keys together changes nothing in exact attention",
    formula: "Att(QU, KU) = Att(Q, K) for orthogonal U",
    approximate: false,
    async measure(problem, attend, random) {
      const { features } = problem, pairs = random.distinct(features, features);
      // Rotations of random pairs of coordinates by the exact angle of (3, 4, 5).
      const rotate = (rows: Float32Array) => {
        const rotated = rows.slice();
        for (let start = 0; start < rows.length; start += features) {
          for (let t = 0; t + 1 < features; t += 2) {
            const a = start + pairs[t], b = start + pairs[t + 1];
            rotated[a] = 0.6 * rows[a] - 0.8 * rows[b];
            rotated[b] = 0.8 * rows[a] + 0.6 * rows[b];
          }
        }
        return rotated;
      };
      const before = await attend(problem);
      const after = await attend({ ...problem, query: rotate(problem.query), key: rotate(problem.key) });
      return largestDifference(after, (at) => before[at]) / problem.largestValue;
    },
  },
  {
    name: "batch",
    statement: "A head gives the same alone as first in a batch",
    formula: "Att(Q ⊕ Q', K ⊕ K', V ⊕ V') = Att(Q, K, V) ⊕ Att(Q', K', V')",
    approximate: true,
    async measure(problem, attend) {
      const twice = (rows: Float32Array) => Float32Array.from([...rows, ...rows.toReversed()]);
      const before = await attend(problem);
      const both = await attend({
        ...problem,
        heads: 2,
        query: twice(problem.query),
        key: twice(problem.key),
        value: twice(problem.value),
      });
      return largestDifference(before, (at) => both[at]) / problem.largestValue;
    },
  },
];

/** Norms decide how far logits move by rounding: those of the families below stay under a hundred. */
const ALLOWED = 2 ** 12 * SINGLE;

/** What attention is indifferent to. */
export const invarianceClaims: readonly Claim[] = invariances.map((invariance): Claim => ({
  name: `invariance-${invariance.name}`,
  statement: invariance.statement +
    (invariance.approximate ? ", in exact attention and, seed for seed, in the practical KDEformer" : ""),
  formula: invariance.formula,
  source: "the definition of softmax attention" +
    (invariance.approximate ? "; hashing and sampling are made independent of it" : ""),
  assumptions: "single precision, logits below a hundred",
  measurement: "largest difference from what must come out, over the largest |value|",
  rule: { kind: "always", allowed: DELTA },
  bound: ALLOWED,
  cases: holdsOn("gaussian", "clustered", "low-rank", "sink-key", "shape-indivisible"),
  anySource: false,
  n: 96,
  runs: 50,
  async run({ implementation, input, seed, on }: RunContext) {
    const { query, key, value, scale } = await input({ valueFeatures: VALUE_FEATURES });
    const problem = makeProblem(query, key, value, { scale });
    const methods: Attend[] = [
      (changed) => on(async (backend) => (await implementation.exactAttention(backend, changed)).output),
      (changed) =>
        on(async (backend) =>
          (await implementation.methods["kdeformer-practical"](backend, changed, { ...BUDGET, seed }, {}))
            .output
        ),
    ];
    let measured = 0;
    for (const attend of methods.slice(0, invariance.approximate ? 2 : 1)) {
      measured = Math.max(
        measured,
        await invariance.measure(problem, attend, new RandomStream(seed, Purpose.data)),
      );
    }
    return { measured };
  },
}));
