import type { Attend } from "../../estimators/methods/method.ts";
import { approximateMethods, type ApproximateName, ourNames } from "../../estimators/methods/methods.ts";
import { makeProblem, type Problem } from "../../estimators/core/problem.ts";
import { Purpose, RandomStream } from "../../kernels/random.ts";
import { noInput, ownCase } from "../engine/cases.ts";
import type { Claim, RunContext } from "../engine/claim.ts";
import { plainAttention } from "../measures/plain_attention.ts";
import { drawNormalHeads, type HeadTensors } from "./normal_heads.ts";
import { differenceOf, largestLogit } from "./exact_cases.ts";
import { DELTA, SINGLE } from "./settings.ts";

const FEATURES = 8, VALUE_FEATURES = 3;

/**
 * Two key heads with one or two query heads each and fewer queries than keys; causal order, a mask of its own for each head, or both, one
 * run after the other. Queries and keys of every head lie about a place of its own, far out in every other run.
 */
function drawVisible(n: number, seed: number, run: number): HeadTensors {
  const random = new RandomStream(seed, Purpose.data), group = 1 + random.integer(2);
  return drawNormalHeads(random, {
    keyHeads: 2,
    group,
    queries: Math.max(1, n - random.integer(n >> 1)),
    keys: n,
    features: FEATURES,
    valueFeatures: VALUE_FEATURES,
    apart: run % 2 ? 6 : 0,
    causal: run % 3 !== 1,
    masked: run % 3 !== 0,
    scale: 0.3,
  });
}

/** An output, and the log-sum-exps where they are known. */
interface Answer {
  readonly output: ArrayLike<number>;
  readonly logSumExp?: ArrayLike<number>;
}

/** The ways to attend exactly to what queries see. */
const ways: Readonly<
  Record<string, (context: RunContext, given: HeadTensors, problem: Problem) => Promise<Answer>>
> = {
  async attention({ implementation, device }, { query, key, value, options }) {
    const { output } = await implementation.attention(query, key, value, {
      ...options,
      method: "exact",
      device,
    });
    return { output: output.data };
  },
  async partial({ implementation, device }, { query, key, value, options }) {
    const { causal, ...masked } = options, causalOffset = causal ? key.shape[1] - query.shape[1] : undefined;
    const own = { ...masked, ...(causalOffset !== undefined && { causalOffset }), device };
    const { output, logSumExp } = await implementation.attentionPartial(query, key, value, own);
    return { output: output.data, logSumExp: logSumExp.data };
  },
  async rectangles({ implementation, on, seed }, _, problem) {
    // As methods are run, with nothing approximated inside of a rectangle.
    const attend: Attend = async (backend, part, _, progress) => ({
      ...await implementation.exactAttention(backend, part, progress),
      keyEvaluations: 0,
    });
    return await on((backend) =>
      implementation.runMethod({ attend }, backend, problem, { bucketSize: 4, samples: 4, seed })
    );
  },
};

/** Which keys a query sees, whichever way they are brought together. */
export const visibleKeys: Claim = {
  name: "visible-keys",
  statement:
    "Exact attention in causal order and under masks is that of the keys that each query sees, whole, over shards, or by rectangles that are merged",
  formula: "Att_i = Σ_{j seen by i} e^(s⟨q_i,k_j⟩ − ℓ_i) v_j, ℓ_i = ln Σ_{j seen by i} e^(s⟨q_i,k_j⟩)",
  source: "the definition; docs/theory.md §2",
  assumptions:
    "two key heads with one or two query heads each, fewer queries than keys, a mask of its own for each head; queries and keys about a place of each head, far out in every other run",
  measurement:
    "largest difference of outputs and of log-sum-exps from the formula in float64, over what rounding of the logits explains",
  rule: { kind: "always", allowed: DELTA },
  bound: 1,
  cases: Object.keys(ways).map((name) => ownCase(noInput(name))),
  anySource: false,
  n: 100,
  runs: 60,
  async run(context) {
    const { family, n, seed, run } = context, given = drawVisible(n, seed, run);
    const problem = makeProblem(given.query, given.key, given.value, given.options),
      truth = plainAttention(problem);
    const { output, logSumExp } = await ways[family](context, given, problem);
    let measured = differenceOf(problem, output, truth.output);
    const rounding = SINGLE * (8 + 4 * largestLogit(problem));
    for (let row = 0; row < (logSumExp?.length ?? 0); row++) {
      measured = Math.max(measured, Math.abs(logSumExp![row] - truth.logSumExp[row]) / rounding);
    }
    return { measured };
  },
};

/** What a query may not see does not reach its answer, whatever the method. */
export const unseenKeys: Claim = {
  name: "unseen-keys",
  statement:
    "In causal order values of later keys, and under a mask hidden keys and their values, change no bit of what a method answers",
  formula: "k_j, v_j hidden from i ⟹ ∂Att~_i/∂v_j = 0, and under a mask ∂Att~_i/∂k_j = 0",
  source: "the definition; estimators/methods/visible.ts",
  assumptions: "an eighth of the keys per query; two heads, each with a mask of its own",
  measurement: "largest difference of the outputs of the queries that may not see the change",
  rule: { kind: "always", allowed: DELTA },
  bound: 0,
  cases: ourNames.map((name) => ownCase(noInput(name))),
  anySource: false,
  n: 160,
  runs: 40,
  async run({ implementation, family, n, seed, run, on }) {
    const name = family as ApproximateName;
    const method = { ...approximateMethods[name], attend: implementation.methods[name] };
    const { query, key, value, options } = drawVisible(n, seed, run);
    const problem = makeProblem(query, key, value, options), { period, queries, causalOffset } = problem;
    const hidden = options.keyMask ? Array.from(options.keyMask, (seen) => !seen) : [];
    // Under a mask alone what is hidden changes; in causal order what is late for the first half of the queries.
    const half = Math.ceil(period / 2), first = causalOffset === undefined ? Infinity : causalOffset + half;
    const changed = (rows: Float32Array, width: number, late: boolean) =>
      rows.map((x, at) => {
        const row = Math.floor(at / width);
        return hidden[row] || late && row % n >= first ? 1 - x / 2 : x;
      });
    const after = {
      ...problem,
      key: changed(problem.key, FEATURES, false),
      value: changed(problem.value, VALUE_FEATURES, true),
    };
    const budget = { bucketSize: Math.ceil(n / 16), samples: Math.ceil(n / 16), seed },
      outputs: Float32Array[] = [];
    for (const one of [problem, after]) {
      outputs.push(
        await on(async (backend) =>
          (await implementation.runMethod(method, backend, one, budget)).output.slice()
        ),
      );
    }
    let measured = 0;
    outputs[0].forEach((x, at) => {
      const position = Math.floor(at / VALUE_FEATURES) % queries % period;
      if (causalOffset === undefined || position < half) {
        measured = Math.max(measured, Math.abs(x - outputs[1][at]));
      }
    });
    return { measured };
  },
};
