/** Certified attention beside exact attention: which errors are certified, and what a certificate costs that does not hold. */
import { attention, type AttentionResult, type Device, openDevice } from "../mod.ts";
import { approximateMethods, type MethodName, ourNames } from "../estimators/methods/methods.ts";
import { timeInTurn, warmUp } from "../proofs_checks/comparison/time_in_turn.ts";
import { inputFamily } from "../proofs_checks/inputs/families.ts";
import type { NamedInput } from "../proofs_checks/inputs/family.ts";
import { sentenceEncoderHeads } from "./heads.ts";
import { digits, markdownTable, median, medianAndRange, ratiosOf } from "./markdown.ts";
import { tell } from "./timing.ts";

const SIZES = [4096, 16384], EPSILONS = [0.3, 0.1, 0.03], FAMILIES = ["gaussian", "clustered"];
/** Refused cases that take longer than so many times exact attention are named. */
const SLOWER = 1.15;
const WARM_UP_MS = 60;
/** A method that may evaluate any number of pairs is never tried. */
const tried: readonly MethodName[] = [
  "auto",
  ...ourNames.filter((name) => approximateMethods[name].withinBudget),
];

/** What became of one case. */
interface Case {
  readonly input: string;
  readonly n: number;
  readonly epsilon: number;
  readonly method: MethodName;
  readonly certified: boolean;
  /** Time over that of exact attention, and key evaluations over those. */
  readonly time: number;
  readonly evaluations: number;
}

async function* inputs(n: number, device: Device): AsyncGenerator<NamedInput> {
  for (const name of FAMILIES) {
    const { description, generate } = inputFamily(name);
    yield { name, description, ...generate({ n, features: 64, seed: 1 }) };
  }
  yield* sentenceEncoderHeads(n, device);
}

/** All methods with one input and epsilon, each between two runs of exact attention, whose mean it is compared with. */
async function measure(
  { name, query, key, value, scale }: NamedInput,
  epsilon: number,
  rounds: number,
  device: Device,
): Promise<Case[]> {
  const n = query.shape[1];
  let round = 0;
  const run = (method: MethodName, seeds: number) =>
    attention(query, key, value, {
      ...{ scale, device, method },
      ...method === "exact" ? {} : { epsilon, checkSeed: seeds },
    });
  const found = new Map<MethodName, AttentionResult[]>();
  const turns: readonly MethodName[] = ["exact", ...tried.flatMap((method) => [method, "exact"] as const)];
  for (const method of new Set(turns)) await warmUp(() => run(method, 0), WARM_UP_MS);
  const times = await timeInTurn(
    turns.map((method) => async () => {
      const start = performance.now(), result = await run(method, ++round);
      const seconds = (performance.now() - start) / 1000;
      found.set(method, [...found.get(method) ?? [], result]);
      return seconds;
    }),
    rounds,
  );
  return tried.map((method, at) => {
    const results = found.get(method)!;
    const holds = results.filter(({ certificate }) => certificate?.kind === "bound").length;
    const [before, own, after] = times.slice(2 * at, 2 * at + 3);
    const time = median(ratiosOf(own, before.map((seconds, round) => (seconds + after[round]) / 2)));
    const evaluations = median(results.map(({ stats }) => stats.keyEvaluations / n ** 2));
    const certified = holds > rounds / 2;
    tell(
      `${name}, n = ${n}, epsilon ${epsilon}, ${method}: ${certified ? "certified" : "exact"}, ${
        digits(time)
      } × exact`,
    );
    return { input: name, n, epsilon, method, certified, time, evaluations };
  });
}

function summarise(cases: readonly Case[]): string {
  const times = (cases: readonly Case[]) => medianAndRange(cases.map(({ time }) => time));
  const evaluations = (cases: readonly Case[]) => medianAndRange(cases.map(({ evaluations }) => evaluations));
  const groups = [...new Set(cases.map(({ n }) => n))].flatMap((n) =>
    tried.map((method) => cases.filter((one) => one.n === n && one.method === method))
  );
  return markdownTable(
    [
      "n",
      "method",
      "certified",
      "time there",
      "evaluations there",
      "refused",
      "time there",
      "evaluations there",
    ],
    groups.map((group) => {
      const held = group.filter(({ certified }) => certified);
      const refused = group.filter(({ certified }) => !certified);
      const { n, method } = group[0];
      return [
        ...[String(n), method],
        ...[`${held.length} of ${group.length}`, times(held), evaluations(held)],
        ...[String(refused.length), times(refused), evaluations(refused)],
      ];
    }),
  );
}

/** What `auto` does with each input. */
function tableOfAuto(cases: readonly Case[]): string {
  const auto = cases.filter(({ method }) => method === "auto");
  const names = [...new Set(auto.map(({ input }) => input))], sizes = [...new Set(auto.map(({ n }) => n))];
  const columns = sizes.flatMap((n) => EPSILONS.map((epsilon) => ({ n, epsilon })));
  return markdownTable(
    ["auto", ...columns.map(({ n, epsilon }) => `n = ${n}, ε = ${epsilon}`)],
    names.map((name) => [
      name,
      ...columns.map(({ n, epsilon }) => {
        const found = auto.find((one) => one.input === name && one.n === n && one.epsilon === epsilon)!;
        return `${digits(found.time)}${found.certified ? "" : " exact"}`;
      }),
    ]),
  );
}

/** The section. */
export async function certificates([rounds = 3, ...sizes]: readonly number[]): Promise<string> {
  using device = await openDevice({ prefer: "wasm" });
  const cases: Case[] = [], lengths = sizes.length > 0 ? sizes : SIZES;
  for (const n of lengths) {
    for await (const input of inputs(n, device)) {
      for (const epsilon of EPSILONS) cases.push(...await measure(input, epsilon, rounds, device));
    }
  }
  const slower = cases.filter(({ certified, time }) => !certified && time > SLOWER);
  const named = slower.map(({ input, n, epsilon, method, time }) =>
    `${method} on ${input}, n = ${n}, ε = ${epsilon} (${digits(time, 3)})`
  );
  return [
    `Attention with a certified error of ${
      EPSILONS.join(", ")
    } (δ = 0.05, default budgets) beside exact attention without one, on ` +
    `WebAssembly: gaussian and clustered input with d = 64, and the eight heads of the sentence encoder. Time and key ` +
    `evaluations over those of exact attention just before and after it, medians of ${rounds} rounds with another seed of the check in ` +
    `each, and the range over the cases. Where no certificate holds the output is exact.`,
    summarise(cases),
    `\`auto\`, time over that of exact attention:`,
    tableOfAuto(cases),
    `Refused and more than ${SLOWER} times as slow as exact attention: ${
      named.length > 0 ? named.join("; ") : "none"
    }.`,
  ].join("\n\n");
}
