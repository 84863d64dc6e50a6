/** What an interval from rows held out is worth: how often it has the truth, on heads whose errors are known. */
import { attention, openDevice } from "../mod.ts";
import type { ApproximateName } from "../estimators/methods/methods.ts";
import { operatorError } from "../estimators/methods/error_sample.ts";
import { Purpose, RandomStream } from "../kernels/random.ts";
import { relativeOutputError } from "../proofs_checks/measures/spectral.ts";
import { sentenceEncoderHeads } from "./heads.ts";
import { digits, markdownTable, medianAndRange } from "./markdown.ts";
import { tell } from "./timing.ts";

const N = 4096, SAMPLES = 200;
/** What is estimated: methods with their budgets. */
const ANSWERS: readonly (readonly [method: ApproximateName, budget: number])[] = [
  ["calibrated", 96],
  ["tilted-tree", 384],
  ["tilted-tree", 768],
];
/** Rows of a sample: those of a coreset, of a tree in causal order, and of a tree, where a tolerance is asked for. */
const ROWS = [48, 96, 160];

/** Some rows of the errors and of the exact outputs, drawn without a row twice. */
function drawSample(
  errors: Float32Array,
  exact: Float32Array,
  width: number,
  rows: number,
  stream: RandomStream,
) {
  const picks = stream.distinct(rows, exact.length / width);
  const of = (data: Float32Array) =>
    Float64Array.from(
      { length: rows * width },
      (_, at) => data[picks[Math.floor(at / width)] * width + at % width],
    );
  return { width, errors: of(errors), outputs: of(exact) };
}

/** The section. */
export async function estimates(parameters: readonly number[]): Promise<string> {
  const [samples = SAMPLES] = parameters, rows: string[][] = [];
  using device = await openDevice({ prefer: "wasm" });
  for await (const { query, key, value, scale, name } of sentenceEncoderHeads(N, device)) {
    const run = async (options: object) =>
      (await attention(query, key, value, { ...options, scale, device })).output;
    const exact = await run({ method: "exact" }), width = value.shape[2];
    for (const [method, budget] of ANSWERS) {
      tell(`head ${name}, ${method}, ${budget}`);
      const output = await run({ method, budget, seed: 1 }), [truth] = relativeOutputError(output, exact);
      const errors = output.data.map((x, at) => x - exact.data[at]);
      const cells = ROWS.flatMap((count) => {
        const found = Array.from(
          { length: samples },
          (_, at) =>
            operatorError(
              drawSample(errors, exact.data, width, count, new RandomStream(at, Purpose.probes, count)),
            ),
        );
        const share = (holds: (found: { low: number; high: number }) => boolean) =>
          digits(found.filter(holds).length / samples);
        return [
          medianAndRange(found.map(({ error }) => error / truth)),
          share(({ high }) => high >= truth),
          share(({ low }) => low <= truth),
        ];
      });
      rows.push([name, `${method}, ${budget}`, digits(truth), ...cells]);
    }
  }
  const head = ROWS.flatMap((count) => [`${count} rows: estimate : truth`, "high ≥ truth", "low ≤ truth"]);
  return [
    `All heads of the sentence encoder at n = ${N}: ${samples} samples of rows of one answer, of which its error in ` +
    "operator norm is estimated as `tolerance` does; the estimate over the truth, median and range, and the shares " +
    "of samples whose interval does not end below the truth, or begin above it.",
    markdownTable(["head", "answer, budget", "error", ...head], rows),
  ].join("\n\n");
}
