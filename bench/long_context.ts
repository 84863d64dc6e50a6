/** Long sequences: each pretrained head with an error that is asked for, beside exact attention. */
import { attention, type Device, openDevice, type Tensor } from "../mod.ts";
import { relativeOutputError } from "../proofs_checks/measures/spectral.ts";
import type { NamedInput } from "../proofs_checks/inputs/family.ts";
import { oneHead, sentenceEncoderHeads } from "./heads.ts";
import { digits, markdownTable, median, medianAndRange, millisecondsOf, ratiosOf } from "./markdown.ts";
import type { Engine, PreparedEngine } from "./peers/engine.ts";
import { onnxNative, onnxWasm } from "./peers/onnx.ts";
import { raceInTurn, tell } from "./timing.ts";

/** ‖Att~ − Att‖ / ‖Att‖ that is asked for. */
const TOLERANCE = 0.05;
const SEEDS = 5, ROUNDS = 7, FEW_ROUNDS = 3;
/** Beyond this its score matrix of n² floats does not fit WebAssembly's memory: its time is extrapolated. */
const LONGEST_ONNX = 16384;

/** What `auto` says of a tolerance, and how far off it is, for each seed. */
async function keepTolerance({ query, key, value, scale }: NamedInput, exact: Tensor, device: Device) {
  const errors: number[] = [], estimates: number[] = [], methods = new Set<string>();
  for (let seed = 1; seed <= SEEDS; seed++) {
    const { output, stats } = await attention(query, key, value, {
      tolerance: TOLERANCE,
      seed,
      scale,
      device,
    });
    errors.push(relativeOutputError(output, exact)[0]);
    estimates.push(stats.target!.error);
    methods.add(stats.method);
  }
  return { errors, estimates, methods: [...methods].join(", ") };
}

/** ONNX Runtime's attention is made for the scale 1/√d, which the heads have. */
async function prepare(
  engine: Engine,
  input: NamedInput,
): Promise<PreparedEngine | undefined> {
  try {
    const run = await engine.prepare(input);
    await run();
    return run;
  } catch (error) {
    tell(`${engine.name} does not run at n = ${input.query.shape[1]}: ${(error as Error).message}`);
    return undefined;
  }
}

interface Row {
  readonly cells: readonly string[];
  /** Median of exact attention, of onnxruntime-web and of onnxruntime-node over `auto`. */
  readonly ratios: readonly number[];
}

async function measureHead(head: NamedInput, rounds: number, device: Device): Promise<Row> {
  const { query, key, value, scale, name } = head, n = query.shape[1];
  const exactly = () => attention(query, key, value, { method: "exact", scale, device });
  const { errors, estimates, methods } = await keepTolerance(head, (await exactly()).output, device);
  const shortened = n > LONGEST_ONNX ? oneHead(head, 0, LONGEST_ONNX) : head,
    factor = (n / shortened.query.shape[1]) ** 2;
  const rivals = [await prepare(onnxWasm, shortened), await prepare(onnxNative, shortened)];
  let seed = 0;
  const next = () => seed = seed % SEEDS + 1;
  const toleranced = () =>
    attention(query, key, value, { tolerance: TOLERANCE, seed: next(), scale, device });
  const runs = [toleranced, exactly];
  const [auto, exact, ...timed] = await raceInTurn(
    [...runs, ...rivals.filter((run) => run !== undefined)],
    rounds,
  );
  const others = [
    exact,
    ...rivals.map((run) => run ? timed.shift()!.map((seconds) => factor * seconds) : []),
  ];
  const ratios = others.map((seconds) => ratiosOf(seconds, auto));
  tell(`n = ${n}, head ${name}: ${ratios.map((values) => medianAndRange(values)).join(", ")}`);
  return {
    cells: [
      name,
      methods,
      medianAndRange(estimates),
      medianAndRange(errors),
      ...[auto, ...others].map(millisecondsOf),
      ...ratios.map((values) => medianAndRange(values)),
    ],
    ratios: ratios.map((values) => values.length > 0 ? median(values) : NaN),
  };
}

/** The section. */
export async function longContext(parameters: readonly number[]): Promise<string> {
  using device = await openDevice({ prefer: "wasm" });
  const parts: string[] = [];
  for (const n of parameters.length > 0 ? parameters : [4096, LONGEST_ONNX]) {
    const rounds = n > LONGEST_ONNX ? FEW_ROUNDS : ROUNDS, rows: Row[] = [];
    for await (const head of sentenceEncoderHeads(n, device)) {
      rows.push(await measureHead(head, rounds, device));
    }
    const law = n > LONGEST_ONNX
      ? `, ${digits((n / LONGEST_ONNX) ** 2, 4)} × its time at ${LONGEST_ONNX}`
      : "";
    const rivals = ["onnxruntime-web", "onnxruntime-node"].map((name) => `${name}${law}`);
    const head = [
      "head",
      "method",
      "estimated error",
      "error",
      "auto ms",
      "exact ms",
      ...rivals.map((name) => `${name}, ms`),
    ];
    const against = ["exact", ...rivals];
    const summary = against.map((name, at) => {
      const ratios = rows.map(({ ratios }) => ratios[at]).filter((ratio) => !Number.isNaN(ratio));
      return `${digits(ratios.length > 0 ? median(ratios) : NaN)} (${name})`;
    });
    parts.push(
      `n = ${n}, ${rounds} rounds:`,
      markdownTable([...head, ...against.map((name) => `${name} : auto`)], rows.map(({ cells }) => cells)),
      `Median over the heads of the time of others over that of \`auto\`: ${summary.join(", ")}.`,
    );
  }
  return [
    `All heads of the sentence encoder: \`auto\` with \`tolerance: ${TOLERANCE}\`, seeds 1 to ${SEEDS}, its estimate and ` +
    "the true error ‖Att~ − Att‖ / ‖Att‖ in operator norm, median and range over the seeds; beside exact attention " +
    "of this module and of ONNX Runtime 1.30.0 with 2 threads, in WebAssembly (web) and as native code (node); from " +
    "the call to the output on the host, interleaved. Layer 2 has d = 128. Where ONNX Runtime's score matrix does " +
    `not fit WebAssembly's memory, beyond n = ${LONGEST_ONNX}, it attends the first ${LONGEST_ONNX} rows, and its ` +
    "time is multiplied by the square of the ratio.",
    ...parts,
  ].join("\n\n");
}
