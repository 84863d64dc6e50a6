import { type Standing, standingOf } from "../engine/standing.ts";
import type { VerificationReport, VerificationResult } from "../engine/report.ts";
import { sampleQuantile } from "../statistics/quantile.ts";
import { codeWord, machineWords } from "../engine/origin.ts";
import { shortNumber } from "./html.ts";
import { originsOf } from "./origins.ts";

/** Characters of a date in ISO 8601. */
const DAY = 10;
/** Cases that are named, of many. */
const NAMED = 3;

/** A verification for somebody who is no statistician: what was checked, what was not, how sure that is, how big a fault could hide, what failed, and by which code, when and where that was found. */
export function inWords(report: VerificationReport): string[] {
  return [
    checked(report),
    unchecked(report),
    certainty(report),
    power(report),
    failures(report),
    made(report),
  ];
}

function checked({ results, seeds = [] }: VerificationReport): string {
  const claims = distinct(results, "claim"),
    families = distinct(results, "family"),
    runs = sum(results, ({ runs }) => runs);
  return `Checked: ${plural(claims, "statement")} about this software on ${
    plural(families, "kind")
  } of inputs, ${plural(runs, "run")} in all, each with fresh inputs and fresh random numbers${
    seeds.length > 1 ? `, of ${seeds.length} seeds` : ""
  }.`;
}

function unchecked({ results, problems = [] }: VerificationReport): string {
  const sizes = results.map(({ n }) => n),
    open = of(results, "inconclusive"),
    apart = of(results, "not-applicable");
  if (sizes.length === 0) return "Not checked: anything; no case is in this report.";
  const least = Math.min(...sizes), most = Math.max(...sizes);
  const left = [
    "inputs of other kinds",
    least === most ? `other numbers of keys than ${most}` : `fewer keys than ${least} or more than ${most}`,
    ...open.length > 0 ? [`${plural(open.length, "case")} that the runs did not settle`] : [],
    ...apart.length > 0 ? [`${plural(apart.length, "case")} in which the statement says nothing`] : [],
    ...problems.length > 0 ? ["what is missing from this report"] : [],
  ];
  return `Not checked: ${joined(left)}.`;
}

function certainty({ level, family_size: size }: VerificationReport): string {
  return `How sure: the probability that any of the verdicts is false, be it a statement that holds and is said not to or the other way round, is at most ${
    shortNumber(100 * level)
  } %, over all ${size} together.`;
}

function power({ results }: VerificationReport): string {
  const holding = results.filter((result) => standingOf(result) === "holds");
  const factors = holding.flatMap((result) =>
    result.detects?.factor ? [{ result, factor: result.detects.factor }] : []
  );
  if (factors.length === 0) {
    const chances = holding.flatMap(({ detects }) => detects?.exceedance ? [detects.exceedance] : []);
    if (chances.length === 0) return "How big a fault could hide: the report does not say.";
    return `How big a fault could hide: half of the cases that hold would have noticed, 19 times in 20, a statement that fails in ${
      shortNumber(100 * sampleQuantile(chances, 0.5))
    } % of the runs; the least watchful only in ${shortNumber(100 * Math.max(...chances))} %.`;
  }
  const typical = sampleQuantile(factors.map(({ factor }) => factor), 0.5);
  const blind = factors.reduce((a, b) => b.factor > a.factor ? b : a);
  return `How big a fault could hide: half of the cases that hold would have noticed, 19 times in 20, errors ${
    shortNumber(typical)
  } times as large in every run; the least watchful, ${nameOf(blind.result)}, only errors ${
    shortNumber(blind.factor)
  } times as large.`;
}

function failures({ results }: VerificationReport): string {
  const against = of(results, "against"), better = of(results, "better"), errors = of(results, "error");
  const vacuous = of(results, "vacuous");
  const parts = [
    ...against.length > 0
      ? [`${plural(against.length, "case")} refuted where it should hold (${named(against)})`]
      : [],
    ...better.length > 0
      ? [`${plural(better.length, "case")} that theory says must fail, and did not (${named(better)})`]
      : [],
    ...vacuous.length > 0
      ? [`${plural(vacuous.length, "case")} in which nothing was at stake (${named(vacuous)})`]
      : [],
    ...errors.length > 0 ? [`${plural(errors.length, "case")} that could not run (${named(errors)})`] : [],
  ];
  const expected = of(results, "expected");
  const aside = expected.length > 0
    ? ` ${plural(expected.length, "case")} had to be refuted, since theory says so, and ${
      expected.length === 1 ? "was" : "were"
    }: limits of ${plural(distinct(expected, "claim"), "statement")} that are known, no faults (${
      named(expected)
    }); each row below says why.`
    : "";
  return `What failed: ${parts.length > 0 ? joined(parts) : "nothing"}.${aside}`;
}

/** Which code, days and machines; several are counted, and listed elsewhere. */
function made(report: VerificationReport): string {
  const origins = originsOf(report),
    told = <T>(values: readonly (T | null)[]) =>
      [...new Set(values)].filter((value): value is T => value !== null);
  const codes = told(origins.map(({ code }) => code && codeWord(code))),
    days = told(origins.map(({ started }) => started && started.slice(0, DAY))).sort(),
    machines = told(origins.map(({ machine }) => machine && machineWords(machine)));
  const parts = [
    ...codes.length > 0
      ? [`by ${codes.length === 1 ? `version ${codes[0]}` : `${codes.length} states of the code`}`]
      : [],
    ...days.length > 0
      ? [days.length === 1 ? `on ${days[0]}` : `from ${days[0]} to ${days[days.length - 1]}`]
      : [],
    ...machines.length > 0
      ? [`on ${machines.length === 1 ? machines[0] : `${machines.length} kinds of machine`}`]
      : [],
  ];
  return `Made: ${parts.length > 0 ? parts.join(", ") : "the report does not say when and by what"}.`;
}

function of(results: readonly VerificationResult[], standing: Standing): VerificationResult[] {
  return results.filter((result) => standingOf(result) === standing);
}

function distinct(results: readonly VerificationResult[], field: "claim" | "family"): number {
  return new Set(results.map((result) => result[field])).size;
}

function sum<T>(values: readonly T[], of: (value: T) => number): number {
  return values.reduce((total, value) => total + of(value), 0);
}

const nameOf = ({ claim, family }: VerificationResult): string => `${claim} on ${family}`;

function named(results: readonly VerificationResult[]): string {
  const more = results.length - NAMED;
  return results.slice(0, NAMED).map(nameOf).join(", ") + (more > 0 ? ` and ${more} more` : "");
}

function plural(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? "" : "s"}`;
}

function joined(parts: readonly string[]): string {
  return parts.length < 2 ? parts.join() : `${parts.slice(0, -1).join(", ")} and ${parts[parts.length - 1]}`;
}
