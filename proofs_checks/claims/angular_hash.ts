import { Purpose, RandomStream } from "../../kernels/random.ts";
import { holdsOn, noInput, ownCase } from "../engine/cases.ts";
import type { Claim } from "../engine/claim.ts";
import { DELTA, linearSize } from "./settings.ts";

/** Neighbouring buckets are neighbours. */
export const grayOrder: Claim = {
  name: "gray-order",
  statement: "Sign patterns of consecutive buckets differ in one sign, for every number of hyperplanes",
  formula: "rank⁻¹(r) and rank⁻¹(r + 1) differ in one bit; ranks are a permutation of the patterns",
  source: "Zandieh, Han, Daliri and Karbasi 2023, Algorithm 3; Gray 1953",
  assumptions: "none",
  measurement: "most bits in which patterns of consecutive ranks differ; 99 where two patterns share a rank",
  rule: { kind: "always", allowed: DELTA },
  bound: 1,
  cases: [ownCase(noInput("all-patterns"))],
  anySource: false,
  n: 256,
  runs: 50,
  size: () => 2 ** 10,
  async run({ run, on }) {
    const projections = 1 + run % 10, count = 2 ** projections;
    // Hyperplane i is coordinate i, so that row c has the pattern c.
    const hyperplanes = Float32Array.from(
      { length: projections * projections },
      (_, at) => at % (projections + 1) === 0 ? 1 : 0,
    );
    const rows = Float32Array.from(
      { length: count * projections },
      (_, at) => (Math.floor(at / projections) >>> (at % projections)) & 1 ? 1 : -1,
    );
    const [ranks] = await on((backend) => {
      const shape = { heads: 1, count, width: projections, projections };
      return backend.run([
        backend.angularHash({
          ...shape,
          rows: backend.upload(rows),
          hyperplanes: backend.upload(hyperplanes),
        }),
      ]);
    });
    const pattern = new Int32Array(count).fill(-1);
    for (let code = 0; code < count; code++) pattern[ranks[code]] = code;
    let measured = 0;
    for (let rank = 0; rank + 1 < count; rank++) {
      const changed = pattern[rank] ^ pattern[rank + 1];
      measured = Math.max(measured, pattern[rank] < 0 || pattern[rank + 1] < 0 ? 99 : bitCount(changed));
    }
    return { measured };
  },
};

function bitCount(word: number): number {
  let bits = 0;
  for (; word; word &= word - 1) bits++;
  return bits;
}

const PLANES = 20;

/** The probability that makes the hash locality-sensitive. */
export const hashCollision: Claim = {
  name: "hash-collision",
  statement:
    "A random hyperplane leaves two vectors on one side with probability 1 − θ/π, θ the angle between them",
  formula: "P[sign⟨h, x⟩ = sign⟨h, y⟩] = 1 − θ(x, y)/π",
  source: "Goemans and Williamson 1995; Charikar 2002",
  assumptions: "normal hyperplanes",
  measurement:
    `(share of ${PLANES} hyperplanes on one side − (1 − θ/π)) / its standard deviation, a random query and key`,
  rule: { kind: "mean", tolerance: 0.75 },
  bound: 0,
  cases: holdsOn("gaussian", "clustered", "heavy-tailed", "low-rank", "cluster-imbalance"),
  anySource: true,
  n: 64,
  runs: 160,
  size: linearSize,
  async run({ input, seed, on }) {
    const { query, key } = await input({ valueFeatures: 1 }), features = query.shape[2];
    const random = new RandomStream(seed, Purpose.hashPairs);
    const rowOf = ({ data, shape }: typeof query) => {
      const row = random.integer(shape[1]);
      return data.subarray(row * features, (row + 1) * features);
    };
    const x = rowOf(query), y = rowOf(key);
    const hyperplanes = Float32Array.from({ length: PLANES * features }, () => random.normal());
    const [ranks] = await on((backend) =>
      backend.run([
        backend.angularHash({
          rows: backend.upload(Float32Array.from([...x, ...y])),
          hyperplanes: backend.upload(hyperplanes),
          heads: 1,
          count: 2,
          width: features,
          projections: PLANES,
        }),
      ])
    );
    const changed = grayCode(ranks[0]) ^ grayCode(ranks[1]);
    const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, t) => sum + value * b[t], 0);
    const cosine = dot(x, y) / Math.sqrt(dot(x, x) * dot(y, y));
    const apart = Math.acos(Math.min(1, Math.max(-1, cosine))) / Math.PI;
    const deviation = Math.sqrt(Math.max(apart * (1 - apart), 1e-9) / PLANES);
    return { measured: (apart - bitCount(changed) / PLANES) / deviation };
  },
};

/** The pattern of a rank. */
function grayCode(rank: number): number {
  return rank ^ (rank >>> 1);
}
