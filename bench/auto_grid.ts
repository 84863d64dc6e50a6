/** `auto` beside exact attention where it has least to gain: few queries, few visible keys, inputs that nothing approximates. */
import {
  attention,
  type AttentionOptions,
  type AttentionResult,
  type Device,
  openDevice,
  tensor,
} from "../mod.ts";
import { timeInTurn, warmUp } from "../proofs_checks/comparison/time_in_turn.ts";
import { inputFamily } from "../proofs_checks/inputs/families.ts";
import type { NamedInput } from "../proofs_checks/inputs/family.ts";
import { headRows, sentenceEncoderHeads } from "./heads.ts";
import { digits, markdownTable, median, medianAndRange, ratiosOf } from "./markdown.ts";
import { tell } from "./timing.ts";

const QUERIES = [1, 4, 32, 300, 4096], KEYS = [64, 1024, 16384];
/** One key in so many is visible, evenly spread. */
const ONE_IN = [1, 10, 100];
const REAL_HEAD = "1.1", FEATURES = 64, VALUE_OFFSET = 2;
/** Ratios above this are counted, and these cases named. */
const SLOWER = 1.15;
/** Where exact attention takes longer than so many seconds there are at most so many rounds. */
const SLOW = 1, FEW_ROUNDS = 3, WARM_UP_MS = 60;
/** Shorter calls have as many more rounds: those far below a millisecond are mostly chance. */
const ONE_TIMING = 0.005;

/** Inputs of each kind with so many queries and keys. */
function* inputs(queries: number, keys: number, real: NamedInput): Generator<NamedInput> {
  const options = { n: keys, queries, features: FEATURES, seed: 1 };
  const generated = (name: string): NamedInput => {
    const { description, generate } = inputFamily(name);
    return { name, description, ...generate(options) };
  };
  yield generated("gaussian");
  yield generated("clustered");
  yield { ...generated("permutation-softmax"), name: "copying" };
  const plain = generated("gaussian");
  const value = tensor(plain.value.data.map((x) => x + VALUE_OFFSET), plain.value.shape);
  yield { ...plain, value, name: "values with a mean" };
  yield {
    name: `head ${REAL_HEAD}`,
    description: real.description,
    query: headRows(real.query, 0, 0, queries),
    key: headRows(real.key, 0, 0, keys),
    value: headRows(real.value, 0, 0, keys),
    scale: real.scale,
  };
}

/** Errors in Frobenius norm, relative to the exact output. */
function errorsOf(
  { query: { shape: [, queries] }, key: { shape: [, keys] }, value }: NamedInput,
  { causal = false, keyMask }: AttentionOptions,
  auto: AttentionResult,
  exact: AttentionResult,
): { error: number; mean: number } {
  const width = value.shape[2], sum = new Float64Array(width);
  let visible = 0, error = 0, mean = 0, all = 0;
  for (let i = 0, j = 0; i < queries; i++) {
    for (const last = causal ? i + keys - queries : keys - 1; j <= last; j++) {
      if (keyMask && !keyMask[j]) continue;
      visible++;
      for (let c = 0; c < width; c++) sum[c] += value.data[j * width + c];
    }
    for (let c = 0, at = i * width; c < width; c++, at++) {
      const x = exact.output.data[at];
      error += (auto.output.data[at] - x) ** 2;
      mean += (sum[c] / visible - x) ** 2;
      all += x * x;
    }
  }
  return { error: Math.sqrt(error / all), mean: Math.sqrt(mean / all) };
}

/** What became of one case. */
interface Case {
  readonly name: string;
  /** Time of `auto` over that of exact attention. */
  readonly ratio: number;
  readonly stats: AttentionResult["stats"];
  readonly error: number;
  /** Of the mean of the values that a query sees. */
  readonly mean: number;
}

async function measure(
  head: NamedInput,
  options: AttentionOptions,
  name: string,
  rounds: number,
): Promise<Case> {
  const run = (method: "auto" | "exact") =>
    attention(head.query, head.key, head.value, { ...options, scale: head.scale, method });
  const exact = await warmUp(() => run("exact"), WARM_UP_MS),
    auto = await warmUp(() => run("auto"), WARM_UP_MS);
  const { seconds } = exact.stats, more = Math.ceil(ONE_TIMING / seconds);
  const times = await timeInTurn(
    (["exact", "auto"] as const).map((method) => async () => {
      const start = performance.now();
      await run(method);
      return (performance.now() - start) / 1000;
    }),
    seconds > SLOW ? Math.min(rounds, FEW_ROUNDS) : rounds * more,
  );
  const found = { name, ratio: median(ratiosOf(times[1], times[0])), stats: auto.stats };
  return { ...found, ...errorsOf(head, options, auto, exact) };
}

/** Every case with so many queries and keys. */
async function measureSize(
  queries: number,
  keys: number,
  real: NamedInput,
  rounds: number,
  device: Device,
): Promise<Case[]> {
  const cases: Case[] = [];
  for (const head of inputs(queries, keys, real)) {
    for (const every of ONE_IN) {
      const keyMask = every === 1
        ? undefined
        : Uint8Array.from({ length: keys }, (_, j) => j % every ? 0 : 1);
      for (const causal of queries <= keys ? [false, true] : [false]) {
        const name = `${head.name}, ${queries} × ${keys}, one key in ${every}${causal ? ", causal" : ""}`;
        const found = await measure(head, { keyMask, causal, device }, name, rounds);
        tell(`${name}: ${found.stats.method}, ${digits(found.ratio)} × exact, error ${digits(found.error)}`);
        cases.push(found);
      }
    }
  }
  return cases;
}

const isWrong = ({ error, mean, stats }: Case) => error > mean && error > 1e-5 && !stats.warning;

/** The section. */
export async function autoGrid([rounds = 9]: readonly number[]): Promise<string> {
  using device = await openDevice({ prefer: "wasm" });
  let real: NamedInput | undefined;
  for await (const head of sentenceEncoderHeads(Math.max(...KEYS), device)) {
    real = head;
    if (head.name === REAL_HEAD) break;
  }
  const rows: string[][] = [], all: Case[] = [];
  for (const keys of KEYS) {
    for (const queries of QUERIES) {
      const cases = await measureSize(queries, keys, real!, rounds, device);
      const approximate = cases.filter(({ stats }) => stats.method !== "exact");
      all.push(...cases);
      rows.push([
        `${queries} × ${keys}`,
        String(cases.length),
        String(approximate.length),
        String(cases.filter(({ stats }) => stats.fellBack !== null).length),
        medianAndRange(cases.map(({ ratio }) => ratio)),
        medianAndRange(approximate.map(({ ratio }) => ratio)),
        medianAndRange(approximate.map(({ error }) => error)),
        medianAndRange(approximate.map(({ error, stats }) => stats.estimatedError! / error)),
      ]);
    }
  }
  const slower = all.filter(({ ratio }) => ratio > SLOWER), wrong = all.filter(isWrong);
  const named = (cases: readonly Case[]) =>
    cases.length === 0
      ? "none"
      : cases.map(({ name, ratio, error }) => `${name} (${digits(ratio)}, ${digits(error)})`).join("; ");
  return [
    "`auto` and exact attention on WebAssembly, default budget, one head with d = 64: normal values; clusters; queries that copy " +
    `single keys; normal values with the mean ${VALUE_OFFSET}; head ${REAL_HEAD} of the sentence encoder. Each with one key visible in ` +
    `${
      ONE_IN.join(", ")
    }, and where there are no more queries than keys in causal order too. Medians of ${rounds} interleaved ` +
    `rounds, ${FEW_ROUNDS} where exact attention takes over ${SLOW} second, from the call to the output; calls shorter than ` +
    `${
      1000 * ONE_TIMING
    } ms have as many more rounds as they are shorter. Errors are ‖Att~ − Att‖/‖Att‖ in Frobenius norm; cases that are ` +
    "exact have none.",
    markdownTable(
      [
        "n_q × n_k",
        "cases",
        "approximated",
        "given up after a trial",
        "time auto : exact",
        "the same where approximated",
        "error there",
        "estimated : true error",
      ],
      rows,
    ),
    `Of ${all.length} cases more than ${SLOWER} times as slow as exact attention (time, error): ${
      named(slower)
    }. With a larger error than ` +
    `the mean value and no warning: ${named(wrong)}.`,
  ].join("\n\n");
}
