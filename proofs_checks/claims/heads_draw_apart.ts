import type { Problem } from "../../estimators/core/problem.ts";
import type { ApproximateName } from "../../estimators/methods/methods.ts";
import type { Backend } from "../../kernels/backend.ts";
import { budgetOf, LEAST_KEYS, type MethodClaim, requireTaken } from "./method_cases.ts";
import { checkKeys } from "./settings.ts";
import { stackHeads, unlikeHeads } from "./stacked_heads.ts";

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

/** Logits so many times as large as usual leave most of the weight to a few keys. */
const SHARP = 8;
/** How far the seed of the second of two draws lies from that of the first, which is as good as random. */
const OTHER_SEED = 2 ** 31;

/** Three heads that are equal: in turn with equal queries, for which probes are alike and samples matter, and so sharp that blocks matter. */
function equalHeads(n: number, seed: number, run: number): Problem {
  const isSharp = run % 2 === 1, [head] = unlikeHeads([isSharp ? "gaussian" : "equal-queries"], n, seed);
  const one = { ...head, scale: (isSharp ? SHARP : 1) * head.scale };
  return stackHeads([one, one, one]);
}

/** Heads that are equal, and draws that must know nothing of each other. */
export const drawApart: MethodClaim = {
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
export const drawApartInTurn: MethodClaim = {
  ...drawApart,
  statement: "Equal heads that the device takes one after the other are answered by independent draws",
  run: (context) =>
    drawApart.run({ ...context, on: (task) => context.on((backend) => task(oneHeadAtATime(backend))) }),
};
