/** Causal order: each pretrained head by `auto`, and normal input, of which nothing is to be had, beside exact attention. */
import { attention, type Device, openDevice } from "../mod.ts";
import type { NamedInput } from "../proofs_checks/inputs/family.ts";
import { relativeOutputError } from "../proofs_checks/measures/spectral.ts";
import { loadWorkload } from "../workloads/workloads.ts";
import { sentenceEncoderHeads } from "./heads.ts";
import { digits, markdownTable, median, medianAndRange, millisecondsOf, ratiosOf } from "./markdown.ts";
import { raceInTurn, tell } from "./timing.ts";

const SEEDS = 5, ROUNDS = 7;

async function* inputs(n: number, device: Device): AsyncGenerator<NamedInput> {
  yield* sentenceEncoderHeads(n, device);
  yield { ...await loadWorkload("gaussian", { n }), name: "gaussian" };
}

async function measureInput({ query, key, value, scale, name }: NamedInput, device: Device) {
  const run = (method: "auto" | "exact", seed: number) =>
    attention(query, key, value, { method, causal: true, seed, scale, device });
  const exact = (await run("exact", 1)).output, errors: number[] = [], methods = new Set<string>();
  let evaluations = 0;
  for (let seed = 1; seed <= SEEDS; seed++) {
    const { output, stats } = await run("auto", seed);
    errors.push(relativeOutputError(output, exact)[0]);
    methods.add(stats.method);
    evaluations = Math.max(evaluations, stats.keyEvaluations / query.shape[1]);
  }
  let seed = 0;
  const next = () => seed = seed % SEEDS + 1;
  const [auto, exactly] = await raceInTurn([() => run("auto", next()), () => run("exact", 1)], ROUNDS);
  const ratios = ratiosOf(exactly, auto);
  tell(`n = ${query.shape[1]}, ${name}: ${medianAndRange(ratios)}`);
  const cells = [
    name,
    [...methods].join(", "),
    digits(evaluations),
    medianAndRange(errors),
    millisecondsOf(auto),
    millisecondsOf(exactly),
    medianAndRange(ratios),
  ];
  return { cells, ratio: median(ratios) };
}

/** The section. */
export async function causalOrder(parameters: readonly number[]): Promise<string> {
  using device = await openDevice({ prefer: "wasm" });
  const parts: string[] = [];
  for (const n of parameters.length > 0 ? parameters : [4096, 16384]) {
    const rows: Awaited<ReturnType<typeof measureInput>>[] = [];
    for await (const input of inputs(n, device)) rows.push(await measureInput(input, device));
    const ratios = rows.slice(0, -1).map(({ ratio }) => ratio);
    parts.push(
      `n = ${n}: exact over \`auto\` on the heads ${medianAndRange(ratios)}, on normal input ${
        digits(rows.at(-1)!.ratio)
      }.`,
      markdownTable(
        ["input", "method", "evaluations", "error", "auto ms", "exact ms", "exact : auto"],
        rows.map(({ cells }) => cells),
      ),
    );
  }
  return [
    "`attention(q, k, v, { causal: true })`: the heads of the sentence encoder, as if they were causal, and normal " +
    `input; errors in operator norm over ${SEEDS} seeds, the most evaluations for each query, with all ` +
    `preparation, and ${ROUNDS} interleaved rounds on WebAssembly, ratios round by round; medians and ranges.`,
    ...parts,
  ].join("\n\n");
}
