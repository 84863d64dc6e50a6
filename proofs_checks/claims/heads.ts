import type { Budget } from "../../estimators/methods/method.ts";
import { approximateMethods, type ApproximateName, ourNames } from "../../estimators/methods/methods.ts";
import type { Problem } from "../../estimators/core/problem.ts";
import type { Backend } from "../../kernels/backend.ts";
import { tensor } from "../../kernels/tensor.ts";
import { noInput, ownCase } from "../engine/cases.ts";
import type { Claim, ClaimCase } from "../engine/claim.ts";
import { NotApplicable } from "../engine/outcome.ts";
import { relativeOutputError } from "../measures/spectral.ts";
import { plainAttention } from "../measures/plain_attention.ts";
import { checkKeys } from "./settings.ts";
import { stackHeads, unlikeHeads } from "./stacked_heads.ts";

/** Of fewer keys a quarter is no sample. */
const LEAST_KEYS = 64;
/** A quarter of the keys. */
const budgetOf = (keys: number, seed: number): Budget => ({
  bucketSize: Math.ceil(keys / 8),
  samples: Math.ceil(keys / 8),
  seed,
});

/** One case for each of some methods of the registry. */
function casesOf(takes: (name: ApproximateName) => boolean): ClaimCase[] {
  const names = Object.keys(approximateMethods) as ApproximateName[];
  return names.filter(takes).map((name) => ownCase(noInput(name)));
}

/**
 * Says that a method does not take a problem.
 *
 * @throws {NotApplicable} With its own reason.
 */
function requireTaken(name: ApproximateName, problem: Problem, budget: Budget): void {
  const refused = approximateMethods[name].refusal?.(problem, budget);
  if (refused !== undefined) throw new NotApplicable(refused);
}

/** The error of each head, relative to its output. */
function headErrors(problem: Problem, output: Float32Array): number[] {
  const { outputShape: shape } = problem, exact = Float32Array.from(plainAttention(problem).output);
  return relativeOutputError(tensor(output, shape), tensor(exact, shape));
}

/** A claim about some methods, without its name and them. */
type Shared = Omit<Claim, "name" | "cases">;

const COMPANY = ["uniform-softmax", "clustered", "gaussian"] as const;

/** What is meant for one head must not go to another. */
const inCompany: Shared = {
  statement:
    "A head errs in company, behind heads unlike it, no more than it does first: in no more than half of the draws",
  formula: "P[‖Att~ − Att‖ behind others > ‖Att~ − Att‖ before them] <= ½",
  source:
    "heads are independent by the definition of attention; draws are independent and alike by their streams",
  assumptions:
    "a quarter of the keys per query; the same head behind others and before them, which differ in everything; an even chance is what independent draws have, and what is told from it is one above three quarters",
  measurement:
    "error of a head as the last of three over its error as the first, both in Frobenius norm to its own output",
  rule: { kind: "probability", allowed: 0.75 },
  ownDelta: true,
  // What the order of sums on a device may change.
  bound: 1 + 1e-3,
  anySource: false,
  n: 128,
  runs: 250,
  size: (n) => 64 * n,
  async run({ implementation, on, n, seed, family }) {
    const name = family as ApproximateName, budget = budgetOf(n, seed);
    const behind = stackHeads(unlikeHeads(COMPANY, n, seed)),
      before = stackHeads(unlikeHeads([...COMPANY].reverse(), n, seed));
    requireTaken(name, behind, budget);
    // The same numbers for the head in question, wherever it lies.
    const last = COMPANY.length - 1, own = (part: Float32Array) => part.length / COMPANY.length;
    for (const part of ["query", "key", "value"] as const) {
      before[part].set(behind[part].subarray(last * own(behind[part])), 0);
    }
    const errors: number[][] = [];
    for (const problem of [behind, before]) {
      const { output } = await on((backend) => implementation.methods[name](backend, problem, budget, {}));
      errors.push(headErrors(problem, output.slice()));
    }
    const [late, early] = [errors[0][last], errors[1][0]];
    return { measured: late === early ? 1 : late / Math.max(early, Number.MIN_VALUE) };
  },
};

/** The other way round: what is meant for later heads must not go to the first. */
const leading: Shared = {
  ...inCompany,
  statement:
    "A head errs before others, unlike it, no more than it does behind them: in no more than half of the draws",
  formula: "P[‖Att~ − Att‖ before others > ‖Att~ − Att‖ behind them] <= ½",
  measurement:
    "error of a head as the first of three over its error as the last, both in Frobenius norm to its own output",
  async run(context) {
    const { measured } = await inCompany.run(context);
    return { measured: measured > 0 ? 1 / measured : Infinity };
  },
};

/** So little memory that each head is a submission of its own. */
function oneHeadAtATime(backend: Backend): Backend {
  return new Proxy(backend, {
    get(target, name) {
      if (name === "memoryBytes") return 1;
      const own = Reflect.get(target, name);
      return typeof own === "function" ? own.bind(target) : own;
    },
  });
}

/** Three heads that are equal: in turn with equal queries, for which probes are alike and samples matter, and so sharp that blocks matter. */
function equalHeads(n: number, seed: number, run: number): Problem {
  const family = run % 2 ? "gaussian" : "equal-queries",
    problem = stackHeads(unlikeHeads([family, family, family], n, seed));
  for (const part of [problem.query, problem.key, problem.value]) {
    const size = part.length / problem.heads;
    part.copyWithin(size, 0, size);
    part.copyWithin(2 * size, 0, size);
  }
  return run % 2 ? { ...problem, scale: SHARP * problem.scale } : problem;
}

/** Logits so many times as large as usual leave most of the weight to a few keys. */
const SHARP = 8;
/** How far the seed of the second of two draws lies from that of the first, which is as good as random. */
const OTHER_SEED = 2 ** 31;

/** Heads that are equal, and draws that must know nothing of each other. */
const drawApart: Shared = {
  statement: "Equal heads of one submission to the device are answered by independent draws",
  formula: "E sign⟨d_a, d_b⟩ = 0, d_h = Att~_h by one seed − Att~_h by another",
  source: "the streams of kernels/random.ts; averages over heads would not converge else",
  assumptions:
    "three equal heads, of equal queries or of sharp logits in turn, a quarter of the keys per query; where draws are independent d_a and −d_a are alike, so that whatever bias the method has falls out",
  measurement: "mean over the pairs of heads of the sign of ⟨d_a, d_b⟩",
  rule: { kind: "mean", tolerance: 0.4 },
  bound: 0,
  anySource: false,
  n: 128,
  runs: 300,
  size: (n) => 64 * n,
  async run({ implementation, on, n, seed, family, run }) {
    const name = family as ApproximateName, problem = equalHeads(n, seed, run);
    checkKeys(n, LEAST_KEYS, "any method answers few of them alike");
    const outputs: Float32Array[] = [];
    for (const own of [seed, (seed + OTHER_SEED) % 2 ** 32]) {
      const budget = budgetOf(n, own);
      requireTaken(name, problem, budget);
      const { output } = await on((backend) => implementation.methods[name](backend, problem, budget, {}));
      outputs.push(output.slice());
    }
    const moved = outputs[0].map((value, at) => value - outputs[1][at]), size = moved.length / problem.heads;
    const [a, b, c] = [0, 1, 2].map((head) => moved.subarray(head * size, (head + 1) * size));
    const inner = (x: Float32Array, y: Float32Array) => x.reduce((sum, value, at) => sum + value * y[at], 0);
    const signs = [inner(a, b), inner(b, c), inner(a, c)].map(Math.sign);
    return {
      measured: (signs[0] + signs[1] + signs[2]) / signs.length,
      telling: moved.some((value) => value !== 0),
    };
  },
};

/** The same, where every head is a submission of its own. */
const drawApartInTurn: Shared = {
  ...drawApart,
  statement: "Equal heads that the device takes one after the other are answered by independent draws",
  run: (context) =>
    drawApart.run({ ...context, on: (task) => context.on((backend) => task(oneHeadAtATime(backend))) }),
};

const ours = new Set<ApproximateName>(ourNames);

/**
 * These claims, about our methods, and by the names of `rivals-` about those of others, which take longer. Algorithm 1 is left out: at sizes that
 * can be checked its densities cost as much as exact attention, which it then is.
 */
export const headClaims: readonly Claim[] = [
  {
    ...inCompany,
    name: "heads-in-company",
    cases: casesOf((name) => ours.has(name) && name !== "kdeformer"),
  },
  {
    ...leading,
    name: "heads-before-others",
    cases: casesOf((name) => ours.has(name) && name !== "kdeformer"),
  },
  {
    ...drawApart,
    name: "heads-draw-apart",
    cases: casesOf((name) => ours.has(name) && approximateMethods[name].random && name !== "kdeformer"),
  },
  {
    ...drawApartInTurn,
    name: "heads-draw-apart-in-turn",
    cases: casesOf((name) => ours.has(name) && approximateMethods[name].random && name !== "kdeformer"),
  },
  { ...inCompany, name: "rivals-in-company", from: "standard", cases: casesOf((name) => !ours.has(name)) },
  {
    ...drawApart,
    name: "rivals-draw-apart",
    from: "standard",
    cases: casesOf((name) => !ours.has(name) && approximateMethods[name].random),
  },
  {
    ...drawApartInTurn,
    name: "rivals-draw-apart-in-turn",
    from: "standard",
    cases: casesOf((name) => !ours.has(name) && approximateMethods[name].random),
  },
];
