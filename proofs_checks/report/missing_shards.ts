import { commandOfShard } from "../engine/replay.ts";
import type { VerificationReport } from "../engine/report.ts";
import type { Named } from "./differences.ts";

/** Shares are numbered in messages up to so many. */
const MOST_NAMED = 20;

/** Which shares are not there, and the command that runs each. */
export function absentShards(report: VerificationReport, present: readonly number[]): string[] {
  const { count } = report.shards, absent = count - present.length, named: number[] = [];
  for (let index = 1; index <= count && named.length < Math.min(absent, MOST_NAMED); index++) {
    if (!present.includes(index)) named.push(index);
  }
  if (absent === 0) return [];
  return [
    `${absent} of ${count} shards ${absent === 1 ? "is" : "are"} missing: ${named.join(", ")}${
      absent > named.length ? ", …" : ""
    }`,
    ...named.flatMap((index) => {
      const command = commandOfShard(report, index);
      return command === undefined ? [] : [`missing shard ${index}: ${command}`];
    }),
  ];
}

/** Which shares a signal broke off, as at the end of the time that a cluster allots, and the command that runs each. */
export function brokenOff(shares: readonly Named<VerificationReport>[]): string[] {
  return shares.flatMap(({ name, report }) => {
    if (!report.interrupted) return [];
    const { done, of } = report.interrupted, [index, ...others] = report.shards?.present ?? [];
    const command = index === undefined || others.length > 0 ? undefined : commandOfShard(report, index);
    return [
      `${name} was broken off when ${done} of ${of} cases were done${
        command === undefined ? "" : `: ${command}`
      }`,
    ];
  });
}
