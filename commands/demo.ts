import process from "node:process";
import { attention, type AttentionResult } from "../estimators/attention/attention.ts";
import type { AttentionOptions } from "../estimators/attention/options.ts";
import type { Device } from "../kernels/device.ts";
import { sizeOf } from "../kernels/tensor.ts";
import { timeInTurn, warmUp } from "../proofs_checks/comparison/time_in_turn.ts";
import type { NamedInput } from "../proofs_checks/inputs/family.ts";
import { relativeOutputError } from "../proofs_checks/measures/spectral.ts";
import { sampleQuantile } from "../proofs_checks/statistics/quantile.ts";
import { describeOptions, type OptionValues, readOptions } from "./arguments.ts";
import { describeCertificate } from "./attend_report.ts";
import { betterDeviceAdvice } from "./doctor.ts";
import { checkDevice } from "./check_device.ts";
import { checkAtLeast, DEFAULT_SEED, describeInputs, loadNamed } from "./input_options.ts";
import { printable } from "../kernels/printable.ts";
import { openCommandDevice } from "./open_device.ts";
import { openProgress } from "./progress.ts";
import { formatNumber, formatSeconds, formatTable } from "./table.ts";
import { deviceKindsInWords } from "../kernels/device_kinds.ts";

const options = {
  n: { kind: "integer", value: "N", help: "tokens (4096)" },
  device: { kind: "text", value: "DEVICE", help: `${deviceKindsInWords} (the best there is)` },
} as const;

const ROUNDS = 5, EPSILON = 0.5;

/** What is shown, in this order: exact attention, the paper's method, what is done by default, and with a certificate. */
const CALLS: readonly (readonly [what: string, options: AttentionOptions])[] = [
  ["exact", { method: "exact" }],
  ["kdeformer-practical, the paper's Algorithm 3", { method: "kdeformer-practical" }],
  ["auto, the default", {}],
  [`auto with a certificate, epsilon ${EPSILON}`, { epsilon: EPSILON }],
];

/** `demo`: KDEformer against exact attention on a head of a pretrained sentence encoder. */
export const demo = {
  summary: "KDEformer against exact attention on a pretrained head",
  help: (): string => `Usage: cli.ts demo [options]\n\n${describeOptions(options)}\n`,
  async run(args: readonly string[]): Promise<number> {
    const given: OptionValues<typeof options> = readOptions("demo", options, args);
    checkDevice(given.device);
    checkAtLeast(1, { n: given.n });
    const progress = openProgress();
    try {
      const input = await loadNamed("sentence-encoder", {
        n: given.n ?? 4096,
        seed: DEFAULT_SEED,
        onProgress: progress.update,
      });
      using device = await openCommandDevice(given);
      const shown = await measure(input, device, progress.update);
      progress.finish();
      const parts = [describeInputs(input, device), toTable(shown), notes(shown), betterDeviceAdvice(device)];
      process.stdout.write(printable(`${parts.join("\n\n")}\n`));
      return 0;
    } finally {
      progress.finish();
    }
  },
};

/** A call, its median time, and its error ‖Att~ − Att‖ / ‖Att‖ in operator norm. */
interface Shown {
  readonly what: string;
  readonly seconds: number;
  readonly error: number;
  readonly result: AttentionResult;
}

async function measure(
  { query, key, value, scale }: NamedInput,
  device: Device,
  update: (done: number, total: number, what: string) => void,
): Promise<Shown[]> {
  const runs = CALLS.map(([, options]) => () => attention(query, key, value, { ...options, scale, device }));
  const results: AttentionResult[] = [];
  for (const run of runs) results.push(await warmUp(run));
  const seconds = await timeInTurn(
    runs.map((run) => async () => (await run()).stats.seconds),
    ROUNDS,
    (round) => update(round, ROUNDS, "timing"),
  );
  return CALLS.map(([what], at) => ({
    what,
    seconds: sampleQuantile(seconds[at], 0.5),
    error: Math.max(...relativeOutputError(results[at].output, results[0].output)),
    result: results[at],
  }));
}

function toTable(shown: readonly Shown[]): string {
  return formatTable([
    ["method", "keys per query", "time", "speed : exact", "error ‖Att~−Att‖/‖Att‖"],
    ...shown.map(({ what, seconds, error, result: { output, stats } }) => [
      what,
      String(Math.round(stats.keyEvaluations / sizeOf(output.shape.slice(0, -1)))),
      formatSeconds(seconds),
      formatNumber(shown[0].seconds / seconds),
      formatNumber(error),
    ]),
  ]);
}

/** The certificate, and why a method was given up. */
function notes(shown: readonly Shown[]): string {
  return shown.flatMap(({ what, result: { certificate, stats } }) => [
    ...certificate ? [describeCertificate(certificate)] : [],
    ...stats.fellBack ? [`${what}: ${stats.fellBack}`] : [],
  ]).join("\n");
}
