import { codeWord, type SharedOrigin } from "../engine/origin.ts";
import type { VerificationReport } from "../engine/report.ts";

/** The runs behind a report: itself, or those that were joined to it. */
export function originsOf(report: VerificationReport): readonly SharedOrigin[] {
  const { origins, seed, shards, code = null, started = null, machine = null } = report;
  return origins ?? [{ seed, shards: shards?.present ?? [], code, started, machine }];
}

/** The code behind a report in words, where several made it all of them; null where it does not say. */
export function codeOf(report: VerificationReport): string | null {
  const words = originsOf(report).map(({ code }) => code ? codeWord(code) : "not given");
  const distinct = [...new Set(words)].sort();
  return distinct.length === 1 && distinct[0] === "not given" ? null : distinct.join(" and ");
}
