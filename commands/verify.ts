import process from "node:process";
import type { DeviceKind } from "../kernels/backend.ts";
import { claims } from "../proofs_checks/claims/claims.ts";
import { families } from "../proofs_checks/inputs/families.ts";
import { checkSize } from "../proofs_checks/engine/check_size.ts";
import { chooseCases } from "../proofs_checks/engine/choose_cases.ts";
import { codeWord } from "../proofs_checks/engine/origin.ts";
import type { VerificationReport } from "../proofs_checks/engine/report.ts";
import { type Level, levels } from "../proofs_checks/engine/levels.ts";
import { verify as runVerification } from "../proofs_checks/engine/verify.ts";
import {
  checkOneOf,
  describeOptions,
  type OptionValues,
  readOptions,
  unknownName,
  UsageError,
} from "./arguments.ts";
import { codeHere } from "./code_here.ts";
import { checkDevice } from "./check_device.ts";
import { checkAtLeast, checkSeed, DEFAULT_SEED } from "./input_options.ts";
import { exitCodeOf, interruptible } from "../files/interruption.ts";
import type { Outputs } from "./outputs.ts";
import { machineHere } from "./machine_here.ts";
import { openLedger } from "./ledger.ts";
import { jsonLine, warn } from "./printable.ts";
import { openProgress } from "./progress.ts";
import { realNames, realSources } from "../workloads/real_sources.ts";
import { openReportOutputs, reportOptions, writeReport } from "./report_files.ts";
import { exitCode, summary, toLine } from "./verify_lines.ts";
import { deviceKindsInWords } from "../kernels/device_kinds.ts";

const options = {
  claim: { kind: "list", value: "NAME …", help: "claims to check (all); see --list" },
  family: {
    kind: "list",
    value: "NAME …",
    help: `families of inputs (those of each claim), or ${realNames.join(", ")}`,
  },
  level: {
    kind: "text",
    value: "LEVEL",
    help:
      "quick (minutes), standard (long: delta 0.05, hundreds of runs, up to 4,096 keys) or thorough (for clusters)",
  },
  runs: {
    kind: "integer",
    value: "N",
    help: "most runs of each claim on each family (about 60; stops early)",
  },
  seed: { kind: "integer", value: "N", help: `seed (${DEFAULT_SEED})` },
  n: { kind: "integer", value: "N", help: "keys, in the place of each claim's own number" },
  delta: {
    kind: "number",
    value: "D",
    help: "probability of failure that guarantees are asked for (0.25); smaller ones take more runs",
  },
  shard: { kind: "text", value: "I/N", help: "run share I of N; join shares with report --merge" },
  continue: {
    kind: "text",
    value: "FILE",
    help: "add this evidence to that of a ledger, by the next seed; verdicts are those of all of it",
  },
  device: { kind: "text", value: "DEVICE", help: `${deviceKindsInWords} (wasm)` },
  code: {
    kind: "text",
    value: "VERSION",
    help: "code that a line to repeat is of: a note says where this is another",
  },
  ...reportOptions,
  list: { kind: "flag", help: "list claims and families and do nothing" },
} as const;

/** `verify`: measures whether each guarantee holds. */
export const verify = {
  summary: "measure, with statistics, whether each guarantee holds",
  help: (): string => `Usage: cli.ts verify [options]\n\n${describeOptions(options)}\n`,
  async run(args: readonly string[]): Promise<number> {
    const given = readOptions("verify", options, args);
    checkUsage(given);
    if (given.list) return listClaims();
    const code = await codeHere();
    noteOtherCode(given.code, codeWord(code));
    const ledger = given.continue === undefined
      ? undefined
      : await openLedger(given.continue, given.seed, DEFAULT_SEED);
    const outputs = await openReportOutputs(given, { continue: given.continue }), progress = openProgress();
    try {
      return await interruptible(async (signal, received) => {
        const report = await runVerification({
          claims: given.claim,
          families: given.family,
          sources: realSources(given.family ?? [], progress.update),
          level: given.level as Level | undefined,
          runs: given.runs,
          seed: ledger?.seed ?? given.seed ?? DEFAULT_SEED,
          n: given.n,
          delta: given.delta,
          shard: given.shard === undefined ? undefined : readShard(given.shard),
          device: given.device as DeviceKind | undefined,
          code,
          machine: machineHere(),
          signal,
          keepPartial: true,
          onResult(result, done, total) {
            outputs.print(`${toLine(result)}\n`);
            progress.update(done, total, `${result.claim} on ${result.family}`);
          },
        });
        progress.finish();
        const interruption = received();
        if (interruption !== undefined && report.interrupted) {
          await writeInterrupted(report, given, outputs);
          return exitCodeOf(interruption);
        }
        const whole = ledger ? ledger.add(report) : report;
        if (ledger) await outputs.write("continue", jsonLine(whole));
        await writeReport({ verification: whole }, summary(whole), given, outputs);
        return exitCode(whole);
      });
    } finally {
      progress.finish();
    }
  },
};

/** Between two states of the code, claims, inputs and numbers may differ. */
function noteOtherCode(wanted: string | undefined, here: string): void {
  if (wanted === undefined || wanted === here) return;
  warn(`Note: this is kdeformer ${here}, not ${wanted}: what it measures may differ`);
}

/** Writes what is there when a signal breaks a verification off, and says on the error stream that it is not all. */
async function writeInterrupted(
  report: VerificationReport,
  given: OptionValues<typeof options>,
  outputs: Outputs,
): Promise<void> {
  const { done, of: all } = report.interrupted!;
  const head = `INCOMPLETE: interrupted when ${done} of ${all} cases were done`;
  if (done === 0) return warn(`${head}; nothing was written`);
  await writeReport({ verification: report }, summary(report), { json: given.json }, outputs);
  const written = given.json === undefined ? "no report was written" : "the JSON report says so";
  warn(`${head}; ${written}${given.report === undefined ? "" : "; no page was written"}`);
}

function checkUsage(given: OptionValues<typeof options>): void {
  checkDevice(given.device);
  checkAtLeast(1, { runs: given.runs, n: given.n });
  checkSeed(given.seed);
  checkOneOf("level", given.level, levels);
  if (given.delta !== undefined && !(given.delta > 0 && given.delta < 1)) {
    throw new UsageError(`--delta must be between 0 and 1: got ${given.delta}`);
  }
  const names = claims.map(({ name }) => name);
  for (const name of given.claim ?? []) {
    if (!names.includes(name)) {
      throw new UsageError(`${unknownName(`claim ${name}`, name, names)}; see --list`);
    }
  }
  const own = chooseCases({ claims: given.claim }).map(([, { source }]) => source.name);
  const known = [...new Set([...own, ...families.map((family) => family.name), ...realNames])];
  for (const name of given.family ?? []) {
    if (!known.includes(name)) {
      throw new UsageError(`${unknownName(`family ${name}`, name, known)}; see --list`);
    }
  }
  try {
    const sources = realSources(given.family ?? [], () => {});
    checkSize(chooseCases({ claims: given.claim, families: given.family, sources }), given.n);
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
  if (given.shard !== undefined) readShard(given.shard);
  if (given.shard !== undefined && given.continue !== undefined) {
    throw new UsageError("--continue takes whole verifications: join shares with report --merge first");
  }
}

function readShard(text: string): { index: number; count: number } {
  const [, index, count] = /^(\d+)\/(\d+)$/.exec(text) ?? [];
  if (!(Number(index) >= 1 && Number(index) <= Number(count))) {
    throw new UsageError(`--shard must be I/N with 1 <= I <= N: got "${text}"`);
  }
  return { index: Number(index), count: Number(count) };
}

function listClaims(): number {
  for (const { name, statement, cases } of claims) {
    const families = cases.map(({ source, expected }) =>
      expected === "holds" ? source.name : `${source.name}*`
    );
    process.stdout.write(`${name}\n    ${statement}\n    on ${families.join(", ")}\n`);
  }
  process.stdout.write("* the claim must be refuted there\n");
  return 0;
}
