import type { VerificationReport, VerificationResult } from "../proofs_checks/engine/report.ts";
import { formatNumber } from "./table.ts";

/** One case in one line, with the command that repeats it. */
export function toLine(result: VerificationResult): string {
  const { verdict, expected, claim, family, measured, bound, margin, runs, replay } = result;
  const asExpected = verdict === expected ? "✓" : verdict === "inconclusive" ? "?" : "✗";
  const share = Number.isFinite(margin) ? `margin ${Math.round(100 * margin)} %` : "margin –";
  return `${asExpected} ${verdict.padEnd(12)} ${claim.padEnd(26)} ${family.padEnd(22)} ` +
    `${`${formatNumber(measured)} against ${formatNumber(bound)}`.padEnd(24)} ${share.padEnd(13)} ` +
    `${String(runs).padStart(3)} runs  ${replay}`;
}

/** What a verification found, in a few lines. */
export function summary(report: VerificationReport): string {
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
