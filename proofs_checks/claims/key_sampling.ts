import { Purpose, RandomStream, seedWords } from "../../kernels/random.ts";
import { holdsOn } from "../engine/cases.ts";
import type { Claim } from "../engine/claim.ts";
import { Oracle } from "../measures/oracle.ts";

const SAMPLES = 24, REPEATS = 4;

/** Sampled keys stand for all of them. */
export const keySampling: Claim = {
  name: "key-sampling-unbiased",
  statement:
    "Keys sampled on the device, with their weights, have the sum over all keys as their expectation",
  formula: "E Σ_s w_s f(k_s) = Σ_j f(k_j), w = 1/(m p)",
  source: "Horvitz and Thompson 1952; kernels/backend.ts, sampleKeys",
  assumptions: "f a row of P, and 1; importance the root of a mean column of P² plus a floor",
  measurement:
    `(mean of ${REPEATS} samples of ${SAMPLES} keys − truth) / an upper bound on its standard deviation, that of independent draws`,
  rule: { kind: "mean", tolerance: 0.75 },
  bound: 0,
  cases: holdsOn("gaussian", "clustered", "sink-key", "heavy-tailed", "duplicated-keys", "shape-more-keys"),
  anySource: true,
  n: 96,
  runs: 200,
  async run({ input, seed, run, on }) {
    const { softmax, problem: { queries, keys } } = new Oracle(
      await input({ valueFeatures: 1, queries: 16 }),
    );
    const importance = new Float32Array(keys);
    for (let at = 0; at < softmax.length; at++) importance[at % keys] += softmax[at] ** 2 / queries;
    const most = Math.sqrt(importance.reduce((a, b) => Math.max(a, b), 0));
    importance.forEach((x, j) => importance[j] = Math.sqrt(x) + 0.1 * most);
    // Half of the runs count keys, which sees a wrong weight on any of them.
    const row = new RandomStream(seed, Purpose.data).integer(queries);
    const f = run % 2 ? new Float64Array(keys).fill(1) : softmax.subarray(row * keys, (row + 1) * keys);
    const samples = Math.min(SAMPLES, keys);
    let estimate = 0;
    for (let repeat = 0; repeat < REPEATS; repeat++) {
      const [index, logWeight] = await on((backend) => {
        const drawn = backend.sampleKeys({
          importance: backend.upload(importance),
          heads: 1,
          keys,
          samples,
          seed: seedWords(seed),
          purpose: Purpose.samples,
          firstStream: repeat,
        });
        return backend.run([drawn.index, drawn.logWeight]);
      });
      index.forEach((key, at) => estimate += Math.exp(logWeight[at]) * f[key] / REPEATS);
    }
    const truth = f.reduce((a, b) => a + b, 0), total = importance.reduce((a, b) => a + b, 0);
    const second = f.reduce((sum, x, j) => sum + x * x * total / importance[j], 0);
    // Strata lower the variance; the least is that of rounding in single precision.
    const variance = Math.max((second - truth ** 2) / (samples * REPEATS), (1e-5 * truth) ** 2);
    return { measured: (estimate - truth) / Math.sqrt(variance) };
  },
};

/** Every key's probability is at least this over n_k: the even share, and the value share, √(‖v‖² + mean) being at least √½ of its mean. */
const LEAST_PROBABILITY = 0.2;
/** Of n_k/2 keys a query at least four fifths are sampled, the rest being spent on probes: this share of n_k. */
const LEAST_SAMPLES = 0.4;

/** Numerator and denominator of Algorithm 3. */
export const denominatorUnbiased: Claim = {
  name: "denominator-unbiased",
  statement:
    "Row sums of the practical KDEformer, blocks exact and the rest sampled, have the true row sums as expectation",
  formula: "E[e^ℓ~_i] = D_i given the hash and the probabilities",
  source: "Zandieh, Han, Daliri and Karbasi 2023, Algorithm 3; docs/theory.md §4",
  assumptions: "every sampled key outside its own block counts once, those inside never",
  measurement:
    `(mean over rows and ${REPEATS} seeds of D~_i/D_i − 1) / an upper bound on its standard deviation, from independent draws with the floor of the probabilities`,
  rule: { kind: "mean", tolerance: 0.75 },
  bound: 0,
  cases: holdsOn("gaussian", "clustered", "low-rank", "uniform-softmax", "shape-indivisible"),
  anySource: false,
  n: 192,
  runs: 200,
  async run({ implementation, input, seed, on }) {
    const { logRowSums, softmax, problem } = new Oracle(await input({ valueFeatures: 4 }));
    const { queries, keys } = problem;
    let ratio = 0;
    for (let repeat = 0; repeat < REPEATS; repeat++) {
      const budget = { bucketSize: 24, samples: Math.ceil(keys / 2), seed: seed + repeat };
      const { logSumExp } = await on((backend) =>
        implementation.methods["kdeformer-practical"](backend, problem, budget, {})
      );
      for (let i = 0; i < queries; i++) ratio += Math.exp(logSumExp[i] - logRowSums[i]) / queries / REPEATS;
    }
    const column = new Float64Array(keys);
    for (let at = 0; at < softmax.length; at++) column[at % keys] += softmax[at] / queries;
    const second = column.reduce((sum, x) => sum + x * x * keys, 0) / LEAST_PROBABILITY;
    return { measured: (ratio - 1) / Math.sqrt(second / (LEAST_SAMPLES * keys) / REPEATS) };
  },
};
