import { commonlyAsked } from "../engine/asked.ts";
import type { ClaimText, VerificationReport, VerificationResult } from "../engine/report.ts";
import { pValuesOf } from "../engine/evidence.ts";
import { CERTAIN } from "../engine/to_result.ts";
import { decide, tellingDecision } from "../engine/verdicts.ts";
import { clopperPearson } from "../statistics/binomial.ts";
import { differences, type Named } from "./differences.ts";
import { codeOf, originsOf } from "./origins.ts";

/**
 * Evidence of verifications with different seeds, on whatever days and machines: e-values of independent runs multiply, and verdicts are decided anew from
 * the products, by Holm's procedure. It may be continued whenever one likes, and stopped at will.
 *
 * @param reports Each of a seed or several of its own, its shards joined.
 * @param notes Told what a reader should know.
 * @throws {TypeError} If two share a seed, are of other claims or settings, or have no e-values.
 */
export function joinSeeds(
  reports: readonly Named<VerificationReport>[],
  notes: string[],
): VerificationReport {
  checkSeeds(reports);
  const apart = differences(reports, {
    level: ({ level }) => level,
    "verdicts in all": ({ family_size: size }) => size,
    effort: ({ effort }) => effort ?? "quick",
    n: ({ n }) => n ?? null,
    delta: ({ delta }) => delta ?? null,
    device: ({ device }) => device,
  });
  for (const claim of namesOf(reports)) {
    // Not every run need have every claim.
    const own = reports.filter(({ report }) => wordsOf(report, claim) !== undefined);
    if (differences(own, { words: (report) => wordsOf(report, claim)! }).length > 0) {
      apart.push(`${claim} says other things in ${own.map(({ name }) => name).join(" and ")}`);
    }
  }
  if (apart.length > 0) {
    throw new TypeError(`Cannot join seeds: they must be of one verification: ${apart.join("; ")}`);
  }
  const [{ report: first }] = reports, cases = new Map<string, VerificationResult[]>();
  for (const { name, report } of reports) {
    for (const result of report.results) {
      if (!result.log_e) {
        throw new TypeError(
          `Cannot join seeds: ${name} has no e-values: ${result.claim} on ${result.family}`,
        );
      }
      const item = `${result.claim} ${result.family}`;
      cases.set(item, [...cases.get(item) ?? [], { ...result, seeds: result.seeds ?? [report.seed] }]);
    }
  }
  for (const { name, report } of reports) {
    const lacks = cases.size - report.results.length;
    if (lacks > 0) notes.push(`${name} lacks ${lacks} of ${cases.size} cases that others have`);
  }
  notes.push(...differences(reports, { code: codeOf }));
  const results = [...cases.values()].map(joinResults);
  const decisions = decide(results.map(({ log_e: logE }) => pValuesOf(logE!)), first.family_size);
  const seeds = reports.flatMap(({ report }) => report.seeds ?? [report.seed]).sort((a, b) => a - b);
  const claims = new Map(reports.flatMap(({ report }) => report.claims.map((claim) => [claim.name, claim])));
  const { asked: _, ...rest } = first;
  return {
    ...rest,
    ...commonlyAsked(reports.map(({ report }) => report)),
    seed: seeds[0],
    seeds,
    origins: reports.flatMap(({ report }) => originsOf(report)),
    cases: cases.size,
    shards: { count: 1, present: [1] },
    seconds: reports.reduce((sum, { report }) => sum + report.seconds, 0),
    claims: [...claims.values()],
    results: results.map((result, at) =>
      isBroken(result) ? result : { ...result, ...tellingDecision(decisions[at], result.telling) }
    ),
    points: reports.flatMap(({ report }) => report.points),
  };
}

function checkSeeds(reports: readonly Named<VerificationReport>[]): void {
  const known = new Map<number, string>();
  for (const { name, report } of reports) {
    for (const seed of report.seeds ?? [report.seed]) {
      const other = known.get(seed);
      // The same evidence twice would count as two.
      if (other !== undefined) {
        throw new TypeError(`Cannot join seeds: seed ${seed} is in both ${other} and ${name}`);
      }
      known.set(seed, name);
    }
  }
}

const namesOf = (reports: readonly Named<VerificationReport>[]): string[] => [
  ...new Set(reports.flatMap(({ report }) => report.claims.map(({ name }) => name))),
];

/** What a claim says in a report; undefined where it is not there. */
function wordsOf({ claims }: VerificationReport, name: string): string | undefined {
  const claim = claims.find((claim) => claim.name === name);
  return claim && Object.values(claim satisfies ClaimText).join("; ");
}

const isBroken = ({ verdict }: VerificationResult): boolean =>
  verdict === "error" || verdict === "not-applicable";

/** One case of several seeds. What could not run with one of them is not hidden by the others. */
function joinResults(results: readonly VerificationResult[]): VerificationResult {
  const error = results.find(({ verdict }) => verdict === "error"),
    measured = results.filter((one) => !isBroken(one));
  const seeds = results.flatMap(({ seeds }) => seeds!).sort((a, b) => a - b);
  if (error || measured.length === 0) return { ...(error ?? results[0]), seeds };
  // What one run says stands for all where it was worst.
  const worst = measured.reduce((a, b) => (b.worst ?? Infinity) > (a.worst ?? Infinity) ? b : a);
  const sum = (of: (result: VerificationResult) => number) =>
    measured.reduce((total, one) => total + of(one), 0);
  const runs = sum((one) => one.runs), counted = measured.every(({ violations }) => violations !== null);
  const violations = counted ? sum((one) => one.violations!) : null;
  const interval = violations === null ? null : clopperPearson(violations, runs);
  const certain = (log: number) => Math.min(CERTAIN, Math.max(-CERTAIN, log));
  const logE = {
    holds: certain(sum((one) => one.log_e!.holds)),
    refuted: certain(sum((one) => one.log_e!.refuted)),
  };
  return {
    ...worst,
    seeds,
    runs,
    violations,
    ...(measured.every(({ telling }) => typeof telling === "number") && {
      telling: sum(({ telling, runs }) => telling! * runs) / runs,
    }),
    interval: interval && [interval.lower, interval.upper],
    log_e: logE,
    log_p: pValuesOf(logE),
    seconds: sum((one) => one.seconds),
  };
}
