import { type Standing, standingOf } from "../proofs_checks/engine/standing.ts";
import type { VerificationReport, VerificationResult } from "../proofs_checks/engine/report.ts";
import { printable } from "../kernels/printable.ts";
import { formatNumber } from "./table.ts";

const SIGNS: Readonly<Record<Standing, string>> = {
  "holds": "✓",
  "better": "✗",
  "expected": "✓",
  "against": "✗",
  "inconclusive": "?",
  "error": "!",
  "not-applicable": "–",
  "vacuous": "∅",
};

/** One case in one line, with the command that repeats it. */
export function toLine(result: VerificationResult): string {
  const { verdict, claim, family, measured, bound, margin, runs, reason, replay } = result;
  const head = `${SIGNS[standingOf(result)]} ${wordOf(verdict).padEnd(12)} ${claim.padEnd(26)} ${
    family.padEnd(22)
  } `;
  if (reason !== null) return `${head}${oneLine(reason)}  ${replay}`;
  const share = Number.isFinite(margin) ? `margin ${Math.round(100 * margin)} %` : "margin –";
  return `${head}${`${formatNumber(measured)} against ${formatNumber(bound)}`.padEnd(24)} ${
    share.padEnd(13)
  } ` +
    `${String(runs).padStart(3)} runs  ${sees(result).padEnd(12)}  ${replay}`;
}

/** The least fault that would have been refuted: errors so many times as large, or a mean or slope so far off. */
function sees({ detects, verdict }: VerificationResult): string {
  if (!detects || verdict === "refuted") return "";
  if (detects.factor !== null) return `sees × ${formatNumber(detects.factor)}`;
  return detects.bias === null ? "" : `sees ± ${formatNumber(detects.bias)}`;
}

function wordOf(verdict: VerificationResult["verdict"]): string {
  if (verdict === "error") return "could not run";
  return verdict === "not-applicable" ? "no verdict" : verdict;
}

/** Errors of others and texts of files may have any number of lines, and codes that terminals obey. */
function oneLine(text: string): string {
  return printable(text.replace(/\s+/g, " ").trim());
}

function counted(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** What a verification found, in a few lines. */
export function summary(report: VerificationReport): string {
  const { results, seconds, level, family_size: size, seeds = [] } = report;
  const of = (wanted: Standing) => results.filter((result) => standingOf(result) === wanted);
  const distinct = (field: "claim" | "family") => new Set(results.map((result) => result[field])).size;
  const better = of("better"), against = of("against"), errors = of("error"), apart = of("not-applicable");
  const vacuous = of("vacuous");
  const lines = [
    "",
    `${counted(distinct("claim"), "claim", "claims")} on ${
      counted(distinct("family"), "family of inputs", "families of inputs")
    }, ${counted(results.length - errors.length - apart.length, "verdict", "verdicts")} in ${
      seconds.toFixed(0)
    } s`,
    `${of("holds").length + better.length} hold, ${of("expected").length} refuted as expected, ` +
    `${of("inconclusive").length} inconclusive, ${against.length} refuted against expectation` +
    `${errors.length > 0 ? `, ${errors.length} could not run` : ""}${
      apart.length > 0 ? `, ${apart.length} not applicable` : ""
    }${vacuous.length > 0 ? `, ${vacuous.length} vacuous` : ""}`,
    `Probability that any verdict is false: at most ${level} over all ${size}, by Holm's procedure`,
    ...seeds.length > 1 ? [`Evidence of ${seeds.length} seeds: ${seeds.join(", ")}`] : [],
  ];
  if (better.length > 0) {
    lines.push(
      "",
      "Hold although a refutation was expected:",
      ...better.map(({ replay }) => `  ${oneLine(replay)}`),
    );
  }
  if (against.length > 0) {
    lines.push("", "REFUTED AGAINST EXPECTATION:");
    for (const { replay, note } of against) {
      lines.push(`  ${oneLine(replay)}${note ? `\n    ${oneLine(note)}` : ""}`);
    }
  }
  if (vacuous.length > 0) {
    lines.push(
      "",
      "VACUOUS: in no run was the statement at stake:",
      ...vacuous.map(({ replay }) => `  ${oneLine(replay)}`),
    );
  }
  if (errors.length > 0) {
    lines.push("", "COULD NOT RUN, so nothing is known of:");
    for (const { replay, reason } of errors) lines.push(`  ${oneLine(replay)}\n    ${oneLine(reason!)}`);
  }
  if (checksNothing(report)) lines.push("", "NOTHING WAS CHECKED: no claim applies");
  return `${lines.join("\n")}\n`;
}

function checksNothing({ results }: VerificationReport): boolean {
  return results.length > 0 && results.every(({ verdict }) => verdict === "not-applicable");
}

/** What no verification may end with. */
const BAD: readonly Standing[] = ["against", "better", "error", "vacuous"];

/**
 * 1 if a claim was refuted where it should hold, if one held where theory says that it must fail, which a measurement that sees nothing does
 * too, if in no run the statement was at stake, if one could not run, or if none applied; and if one was left open by a verification that
 * promises verdicts, any but a quick one. Else 0.
 */
export function exitCode(report: VerificationReport): number {
  const bad = report.results.map(standingOf).some((standing) =>
    BAD.includes(standing) || standing === "inconclusive" && (report.effort ?? "quick") !== "quick"
  );
  return bad || checksNothing(report) ? 1 : 0;
}
