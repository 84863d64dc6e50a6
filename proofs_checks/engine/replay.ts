import { isRegistered } from "./choose_cases.ts";
import { commandLine } from "./command_line.ts";
import type { Level } from "./levels.ts";
import { type Code, codeWord } from "./origin.ts";
import type { VerificationReport } from "./report.ts";
import type { CaseOutcome } from "./run_case.ts";

/** What repeats a case, apart from its names. */
export interface ReplayOptions {
  readonly seed: number;
  /** How much was undertaken. */
  readonly level: Level;
  /** Keys, if asked for. */
  readonly n?: number;
  /** Probability of failure, if asked for. */
  readonly delta?: number;
  /** Kind of the device. */
  readonly device: string;
  /** Which code measured, if known. */
  readonly code?: Code;
}

/**
 * The command that repeats a case. Its runs are those that might have been made: a search shares them out beforehand, and a case
 * that was settled early is settled there again.
 */
export function replayOfCase(
  { claim, case: { source }, most }: CaseOutcome,
  { seed, level: undertaken, n, delta, device, code }: ReplayOptions,
): string {
  const level = beyondQuick(undertaken);
  if (!isRegistered(claim)) {
    const { stringify } = JSON,
      keys = (level ? ` level: ${stringify(level)},` : "") + (n === undefined ? "" : ` n: ${n},`) +
        (delta === undefined ? "" : ` delta: ${delta},`);
    return `verify({ claims: [claim], families: [${
      stringify(source.name)
    }], seed: ${seed}, runs: ${most},${keys} ` +
      `device: ${stringify(device)} }), claim being ${claim.name}`;
  }
  return commandLine("verify", [
    ...words({ claim: [claim.name], family: [source.name], seed, level, runs: most, n, delta, device }),
    ...code ? ["--code", codeWord(code)] : [],
  ]);
}

/** The command that runs a share of the verification that a report is of; undefined where it does not say what was asked. */
export function commandOfShard(
  { asked, seed, effort, runs, n, delta, device, code, shards }: VerificationReport,
  index: number,
): string | undefined {
  if (!asked) return undefined;
  const { claims, families } = asked;
  return commandLine("verify", [
    ...words({ claim: claims, family: families, seed, level: beyondQuick(effort), runs, n, delta, device }),
    ...["--shard", `${index}/${shards.count}`],
    ...code ? ["--code", codeWord(code)] : [],
    ...["--json", `shard-${index}-of-${shards.count}-seed-${seed}.json`],
  ]);
}

/** A level, where it has to be asked for. */
function beyondQuick(level: Level | undefined): Level | undefined {
  return level === "quick" ? undefined : level;
}

/** Options and their values, without those that were not asked for. */
function words(
  options: Readonly<Record<string, string | number | readonly string[] | null | undefined>>,
): string[] {
  return Object.entries(options).flatMap(([name, value]) =>
    value === null || value === undefined ? [] : [`--${name}`, ...[value].flat().map(String)]
  );
}
