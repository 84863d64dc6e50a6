import { writeFile } from "node:fs/promises";
import process from "node:process";
import type { DeviceKind } from "../kernels/backend.ts";
import { claims } from "../proofs_checks/claims/claims.ts";
import type { VerificationReport, VerificationResult } from "../proofs_checks/engine/report.ts";
import { chooseCases, verify as runVerification } from "../proofs_checks/engine/verify.ts";
import { describeOptions, type OptionValues, readOptions, unknownName, UsageError } from "./arguments.ts";
import { checkDevice } from "./check_device.ts";
import { openProgress } from "./progress.ts";
import { realSources } from "./real_sources.ts";
import { formatNumber } from "./table.ts";

const options = {
  claim: { kind: "list", value: "NAME …", help: "claims to check (all); see --list" },
  family: {
    kind: "list",
    value: "NAME …",
    help: "families of inputs (those of each claim), or glove, sentence-encoder",
  },
  runs: {
    kind: "integer",
    value: "N",
    help: "most runs of each claim on each family (about 60; stops early)",
  },
  seed: { kind: "integer", value: "N", help: "seed (1)" },
  n: { kind: "integer", value: "N", help: "keys, in the place of each claim's own number" },
  shard: { kind: "text", value: "I/N", help: "run share I of N; join shares with report --merge" },
  device: { kind: "text", value: "DEVICE", help: "webgpu, wasm or reference (wasm)" },
  json: {
    kind: "text",
    value: "FILE",
    help: "write the report as JSON; - for the output, and nothing else there",
  },
  report: { kind: "text", value: "FILE.html", help: "write the report as a page" },
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
    const toOutput = given.json === "-";
    const progress = await openProgress();
    try {
      const report = await runVerification({
        claims: given.claim,
        families: given.family,
        sources: realSources(given.family ?? [], progress.update),
        runs: given.runs,
        seed: given.seed,
        n: given.n,
        shard: given.shard === undefined ? undefined : readShard(given.shard),
        device: given.device as DeviceKind | undefined,
        onResult(result, done, total) {
          if (!toOutput) process.stdout.write(`${toLine(result)}\n`);
          progress.update(done, total, `${result.claim} on ${result.family}`);
        },
      });
      await progress.finish();
      if (given.report !== undefined) {
        const { writePage } = await import("./report_page.ts");
        await writePage(given.report, { verification: report });
      }
      if (given.json !== undefined && !toOutput) await writeFile(given.json, `${JSON.stringify(report)}\n`);
      process.stdout.write(toOutput ? `${JSON.stringify(report)}\n` : summary(report));
      return isAgainst(report) ? 1 : 0;
    } finally {
      await progress.finish();
    }
  },
};

function checkUsage(given: OptionValues<typeof options>): void {
  checkDevice(given.device);
  for (const name of ["runs", "n"] as const) {
    const number = given[name];
    if (number !== undefined && number < 1) {
      throw new UsageError(`--${name} must be at least 1: got ${number}`);
    }
  }
  if (given.seed !== undefined && given.seed < 0) {
    throw new UsageError(`--seed must be at least 0: got ${given.seed}`);
  }
  const names = claims.map(({ name }) => name);
  for (const name of given.claim ?? []) {
    if (!names.includes(name)) {
      throw new UsageError(`${unknownName(`claim ${name}`, name, names)}; see --list`);
    }
  }
  const sources = realSources(given.family ?? [], () => {});
  const families = chooseCases({ claims: given.claim, sources }).map(([, { source }]) => source.name);
  for (const name of given.family ?? []) {
    if (families.includes(name)) continue;
    throw new UsageError(`${unknownName(`family ${name} of these claims`, name, families)}; see --list`);
  }
  if (given.shard !== undefined) readShard(given.shard);
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

/** One case in one line, with the command that repeats it. */
export function toLine(result: VerificationResult): string {
  const { verdict, expected, claim, family, measured, bound, margin, runs, replay } = result;
  const asExpected = verdict === expected ? "✓" : verdict === "inconclusive" ? "?" : "✗";
  const share = Number.isFinite(margin) ? `margin ${Math.round(100 * margin)} %` : "margin –";
  return `${asExpected} ${verdict.padEnd(12)} ${claim.padEnd(26)} ${family.padEnd(22)} ` +
    `${`${formatNumber(measured)} against ${formatNumber(bound)}`.padEnd(24)} ${share.padEnd(13)} ` +
    `${String(runs).padStart(3)} runs  ${replay}`;
}

function summary(report: VerificationReport): string {
  const { results, seconds, level, family_size: size } = report;
  const of = (wanted: (result: VerificationResult) => boolean) => results.filter(wanted).length;
  const distinct = (field: "claim" | "family") => new Set(results.map((result) => result[field])).size;
  const against = results.filter(isRefutedAgainst);
  const better = results.filter(({ verdict, expected }) => verdict === "holds" && expected === "refuted");
  const lines = [
    "",
    `${distinct("claim")} claims on ${distinct("family")} families of inputs, ${results.length} verdicts in ${
      seconds.toFixed(0)
    } s`,
    `${of(({ verdict }) => verdict === "holds")} hold, ` +
    `${
      of(({ verdict, expected }) => verdict === "refuted" && expected === "refuted")
    } refuted as expected, ` +
    `${
      of(({ verdict }) => verdict === "inconclusive")
    } inconclusive, ${against.length} refuted against expectation`,
    `Probability that any verdict is false: at most ${level} over all ${size}, by Holm's procedure`,
  ];
  if (better.length > 0) {
    lines.push("", "Hold although a refutation was expected:", ...better.map(({ replay }) => `  ${replay}`));
  }
  if (against.length > 0) {
    lines.push("", "REFUTED AGAINST EXPECTATION:");
    for (const { replay, note } of against) lines.push(`  ${replay}${note ? `\n    ${note}` : ""}`);
  }
  return `${lines.join("\n")}\n`;
}

function isRefutedAgainst({ verdict, expected }: VerificationResult): boolean {
  return verdict === "refuted" && expected === "holds";
}

/** Whether a claim was refuted where it should hold: what the exit code says. */
export function isAgainst({ results }: VerificationReport): boolean {
  return results.some(isRefutedAgainst);
}
