/** Error and time at equal budgets, on pretrained heads and word vectors; other implementations' in peer_errors.json. */
import { attention, type AttentionOptions, type Device, openDevice, type Tensor, tensor } from "../mod.ts";
import { approximateMethods, approximateNames } from "../estimators/methods/methods.ts";
import { loadWorkload } from "../workloads/workloads.ts";
import { timeInTurn } from "../proofs_checks/comparison/time_in_turn.ts";
import { relativeOutputError } from "../proofs_checks/measures/spectral.ts";
import type { NamedInput } from "../proofs_checks/inputs/family.ts";
import { sentenceEncoderHeads } from "./heads.ts";
import { digits, markdownTable, median, medianAndRange, ratiosOf } from "./markdown.ts";
import peers from "./peer_errors.json" with { type: "json" };
import { tell } from "./timing.ts";

const BUDGETS = [64, 128, 256];
const TIMED = ["auto", "calibrated", "kdeformer-practical"] as const;
const METHODS = [
  "auto",
  ...approximateNames.filter((name) => approximateMethods[name].withinBudget),
] as const;
/** By input, budget and implementation. */
const recorded = peers.inputs as Record<string, Record<string, Record<string, number>>>;

async function* inputs(device: Device): AsyncGenerator<NamedInput> {
  for (const n of [2048, 4096]) {
    for await (const head of sentenceEncoderHeads(n, device)) {
      yield { ...head, name: `sentence-encoder n=${n} ${head.name}` };
    }
  }
  yield { ...await loadWorkload("glove", { n: 4096 }), name: "glove n=4096" };
}

/** What attention that sees nothing answers. */
function meanValue({ query, value }: NamedInput): Tensor {
  const [, keys, width] = value.shape, mean = new Float64Array(width);
  value.data.forEach((x, at) => mean[at % width] += x / keys);
  const shape = [1, query.shape[1], width];
  return tensor(Float32Array.from({ length: shape[1] * width }, (_, at) => mean[at % width]), shape);
}

/** One input at one budget. */
interface Row {
  readonly f: number;
  readonly cells: readonly string[];
  /** By method of TIMED: error over that of the authors' code, and over the best rival's; time over the practical one's. */
  readonly against: Readonly<Record<string, readonly [official: number, rival: number, time: number]>>;
}

async function measureInput(head: NamedInput, seeds: number, rounds: number, device: Device): Promise<Row[]> {
  const { query, key, value, scale, name } = head;
  const run = (options: AttentionOptions) => attention(query, key, value, { ...options, scale, device });
  const exact = (await run({ method: "exact" })).output;
  const [nothing] = relativeOutputError(meanValue(head), exact);
  const rows: Row[] = [];
  for (const f of BUDGETS) {
    tell(`${name}, f = ${f}`);
    const budget = { bucketSize: f / 2, samples: f }, errors: Record<string, number[]> = {};
    for (const method of METHODS) {
      errors[method] = [];
      for (let seed = 1; seed <= seeds; seed++) {
        errors[method].push(relativeOutputError((await run({ ...budget, method, seed })).output, exact)[0]);
      }
    }
    const seconds = await timeInTurn(
      TIMED.map((method) => async () => (await run({ ...budget, method })).stats.seconds),
      rounds,
    );
    const ratios = seconds.map((times) => ratiosOf(times, seconds[TIMED.indexOf("kdeformer-practical")]));
    const rivals = recorded[name][f], best = Math.min(nothing, ...Object.values(rivals));
    const against = Object.fromEntries(TIMED.map((method, at) => {
      const error = median(errors[method]);
      return [method, [error / rivals.official, error / best, median(ratios[at])] as const];
    }));
    rows.push({
      f,
      against,
      cells: [
        name,
        String(f),
        ...METHODS.map((method) => medianAndRange(errors[method])),
        ...[nothing, rivals.official, against.auto[0], against.auto[1]].map((x) => digits(x)),
        medianAndRange(ratios[TIMED.indexOf("auto")]),
      ],
    });
  }
  return rows;
}

/** The section. */
export async function errorAtBudget([seeds = 5, rounds = 11]: readonly number[]): Promise<string> {
  using device = await openDevice({ prefer: "wasm" });
  const rows: Row[] = [];
  for await (const head of inputs(device)) rows.push(...await measureInput(head, seeds, rounds, device));
  const summary = BUDGETS.flatMap((f) =>
    TIMED.map((method) => {
      const against = rows.filter((row) => row.f === f).map((row) => row.against[method]);
      return [
        String(f),
        method,
        ...[0, 1, 2].map((at) => medianAndRange(against.map((values) => values[at]))),
      ];
    })
  );
  return [
    "‖Att~ − Att‖ / ‖Att‖ in operator norm at f sampled keys + f/2 keys in blocks for each query, or as many key " +
    `evaluations in all: all heads of the sentence encoder, and GloVe; medians over ${seeds} seeds. Times are from ` +
    `the checked input to the output on the host, ${rounds} interleaved rounds on WebAssembly, ratios round by round. "official" is the ` +
    'authors\' code, "best rival" the best of it, HyperAttention, Performer and the mean value; their errors are ' +
    "recorded in `peer_errors.json`, with their origin, and were not measured in this run.",
    "Over all inputs, median and range:",
    markdownTable(
      ["f", "method", "error : official", "error : best rival", "time : kdeformer-practical"],
      summary,
    ),
    "Each input:",
    markdownTable(
      [
        "input",
        "f",
        ...METHODS,
        "mean value",
        "official",
        "auto : official",
        "auto : best rival",
        "time auto : practical",
      ],
      rows.map(({ cells }) => cells),
    ),
  ].join("\n\n");
}
