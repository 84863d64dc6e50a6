import { unfitValue } from "../../kernels/check_values.ts";
import { commonlyAsked } from "../engine/asked.ts";
import { VERIFICATION_SCHEMA, type VerificationReport } from "../engine/report.ts";
import { decide, tellingDecision } from "../engine/verdicts.ts";
import { SCALING_SCHEMA, type ScalingReport } from "../scaling/report.ts";
import { type AnyReport, checkReport } from "./check_report.ts";
import { differences, DIFFERS, type Named } from "./differences.ts";
import { joinSeeds } from "./join_seeds.ts";
import { absentShards, brokenOff } from "./missing_shards.ts";
import { codeOf, originsOf } from "./origins.ts";

/** Reports joined. */
export interface MergedReports {
  readonly verification?: VerificationReport;
  readonly scaling?: ScalingReport;
  /** What keeps them from being one whole: shares that are missing, devices that differ. Empty where all is well. */
  readonly problems: readonly string[];
  /** What a reader should know, though nothing is known to be wrong. */
  readonly notes: readonly string[];
}

/**
 * Joins shares of one verification, deciding all verdicts anew: Holm's procedure is about all of them together; and verifications with different seeds,
 * whose evidence multiplies. Of scaling
 * reports the series are joined. Shares that are missing, and devices that differ, do not keep the rest from being read: they
 * are told as problems.
 *
 * @param reports What `verify` and `scaling` give, or what was read from their files.
 * @param names What each is called in messages: its file.
 * @throws {TypeError} If one is no report, or shares do not belong together.
 * @throws {RangeError} If a number in one is out of range.
 */
export function mergeReports(
  reports: readonly unknown[],
  names?: readonly string[],
): MergedReports {
  if (!Array.isArray(reports)) throw unfitValue("merge", "reports", "an array of reports", reports, false);
  const checked = Array.from(reports as readonly unknown[], (report, at) => {
    const name = names?.[at] ?? `reports[${at}]`;
    return { name, report: checkReport(report, name) };
  });
  const of = <R extends AnyReport>(schema: string) =>
    checked.filter(({ report }) => report.schema === schema) as Named<R>[];
  const shares = of<VerificationReport>(VERIFICATION_SCHEMA), scalings = of<ScalingReport>(SCALING_SCHEMA);
  const problems: string[] = [], notes: string[] = [];
  const verification = shares.length > 0 ? mergeVerifications(shares, problems, notes) : undefined;
  const scaling = scalings.length > 0 ? mergeScalings(scalings, problems) : undefined;
  return { verification, scaling, problems, notes };
}

/** Shares of one seed are joined to a whole, and wholes of several seeds to one body of evidence. */
function mergeVerifications(
  shares: readonly Named<VerificationReport>[],
  problems: string[],
  notes: string[],
): VerificationReport {
  const seedsOf = ({ report }: Named<VerificationReport>) => (report.seeds ?? [report.seed]).join(", ");
  const bySeed = new Map<string, Named<VerificationReport>[]>();
  for (const share of shares) bySeed.set(seedsOf(share), [...bySeed.get(seedsOf(share)) ?? [], share]);
  if (bySeed.size === 1) return mergeShares(shares, problems, notes);
  const wholes = [...bySeed.values()].map((own) => ({
    name: own.map(({ name }) => name).join(" + "),
    report: own.length === 1 && own[0].report.shards?.count === 1 && !own[0].report.interrupted
      ? own[0].report
      : mergeShares(own, problems, notes),
  }));
  return { ...joinSeeds(wholes, notes), problems };
}

function mergeShares(
  shares: readonly Named<VerificationReport>[],
  problems: string[],
  notes: string[],
): VerificationReport {
  const [{ report: first }] = shares, size = first.family_size;
  const apart = differences(shares, {
    level: ({ level }) => level,
    "verdicts in all": ({ family_size: familySize }) => familySize,
    "number of shards": ({ shards }) => shards?.count ?? null,
    // Whole verifications of different claims may be joined too.
    "cases in all": ({ cases, shards }) => shards?.count === 1 ? null : cases ?? null,
  });
  if (apart.length > 0) {
    throw new TypeError(`Cannot merge: shares must be of one verification: ${apart.join("; ")}`);
  }
  problems.push(
    ...shares.flatMap(({ report }) => report.problems ?? []).filter((problem) => problem.includes(DIFFERS)),
    ...differences(shares, {
      version: ({ version }) => version,
      effort: ({ effort }) => effort ?? "quick",
      n: ({ n }) => n ?? null,
      delta: ({ delta }) => delta ?? null,
      runs: ({ runs }) => runs ?? null,
      device: ({ device }) => device,
      // Nodes of a cluster may have other numbers of processors: results are the same to the last bit.
      adapter: ({ adapter }) => adapter.replace(/, \d+ threads?\b.*/, ""),
      code: codeOf,
      // Whole verifications of different claims may be joined too.
      "what was asked for": ({ asked, shards }) =>
        !asked || shards?.count === 1 ? null : JSON.stringify(asked),
    }),
  );
  checkApart(
    shares.flatMap(({ name, report }) =>
      report.results.map(({ claim, family }) => ({ name, item: `${claim} on ${family}` }))
    ),
  );
  const results = shares.flatMap(({ report }) => report.results);
  const decisions = decide(results.map(({ log_p: logP }) => logP), size);
  const present = [...new Set(shares.flatMap(({ report }) => report.shards?.present ?? []))].sort((a, b) =>
    a - b
  );
  const cases = first.shards?.count === 1
    ? shares.reduce((sum, { report }) => sum + report.cases, 0)
    : first.cases;
  problems.push(...brokenOff(shares), ...missing(first, cases, present, results.length));
  if (first.shards === undefined) {
    notes.push(
      `${
        shares.map(({ name }) => name).join(", ")
      }: version ${first.version} does not say which shares there are: ` +
        "whether one is missing cannot be told; it took what could not run for refuted",
    );
  }
  const claims = new Map(shares.flatMap(({ report }) => report.claims.map((claim) => [claim.name, claim])));
  const { interrupted: _, asked: __, ...rest } = first;
  return {
    ...rest,
    ...commonlyAsked(shares.map(({ report }) => report)),
    origins: shares.flatMap(({ report }) => originsOf(report)),
    ...(first.shards && { cases, shards: { count: first.shards.count, present } }),
    problems,
    seconds: shares.reduce((sum, { report }) => sum + report.seconds, 0),
    claims: [...claims.values()],
    results: results.map((result, at) =>
      // What could not run has no verdict, whatever else is known.
      result.verdict === "error" || result.verdict === "not-applicable"
        ? result
        : { ...result, ...tellingDecision(decisions[at], result.telling), reason: null }
    ),
    points: shares.flatMap(({ report }) => report.points),
  };
}

/** Which shares and cases are not there. */
function missing(
  report: VerificationReport,
  cases: number,
  present: readonly number[],
  results: number,
): string[] {
  if (!report.shards) return [];
  const absent = absentShards(report, present);
  if (absent.length > 0) return absent;
  // Every share is there, and not all of what it ran.
  return results === cases ? [] : [`${results} results are here, of ${cases} cases`];
}

function mergeScalings(scalings: readonly Named<ScalingReport>[], problems: string[]): ScalingReport {
  problems.push(...differences(scalings, {
    "seed of scaling": ({ seed }) => seed,
    "epsilon of scaling": ({ epsilon }) => epsilon,
    "budget of scaling": ({ budget }) => `${budget.bucket} + ${budget.samples}`,
    "device of scaling": ({ device }) => device,
    "adapter of scaling": ({ adapter }) => adapter,
  }));
  checkApart(
    scalings.flatMap(({ name, report }) =>
      report.series.map(({ workload, method, mode }) => ({ name, item: `${mode} ${method} on ${workload}` }))
    ),
  );
  return {
    ...scalings[0].report,
    seconds: scalings.reduce((sum, { report }) => sum + report.seconds, 0),
    series: scalings.flatMap(({ report }) => report.series),
  };
}

/** @throws {TypeError} If something is there twice: which of the two is meant cannot be told. */
function checkApart(items: readonly { readonly name: string; readonly item: string }[]): void {
  const first = new Map<string, string>(), twice: string[] = [];
  for (const { name, item } of items) {
    const other = first.get(item);
    if (other === undefined) first.set(item, name);
    else twice.push(`${item} is in more than one share, ${other} and ${name}`);
  }
  if (twice.length === 0) return;
  const more = twice.length > 1 ? `, and so are ${twice.length - 1} more` : "";
  throw new TypeError(`Cannot merge: ${twice[0]}${more}`);
}
