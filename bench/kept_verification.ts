import { claims } from "../proofs_checks/claims/claims.ts";
import type { VerificationReport, VerificationResult } from "../proofs_checks/engine/report.ts";
import { type Standing, standingOf } from "../proofs_checks/engine/standing.ts";

/** A case as it is kept. */
export type KeptCase = Pick<
  VerificationResult,
  "claim" | "family" | "verdict" | "expected" | "measured" | "worst" | "bound" | "runs" | "violations" | "n"
>;

/** What is kept of a verification. */
export interface KeptVerification extends Pick<VerificationReport, "device" | "seed" | "seconds"> {
  readonly commit: string | null;
  /** Day on which it began. */
  readonly day: string | null;
  readonly processor: string | null;
  readonly results: readonly KeptCase[];
}

/**
 * Of a report, what documents say of it.
 *
 * @throws {RangeError} If it is not that of a whole standard verification.
 */
export function keptOf(
  { device, effort = "quick", seed, seconds, cases, code, started, machine, problems = [], results }:
    VerificationReport,
): KeptVerification {
  if (effort !== "standard" || results.length !== cases || problems.length > 0) {
    throw new RangeError(
      `Cannot keep a verification: it must be a whole standard one: this is a ${effort} one with ${results.length} of ` +
        `${cases} cases${problems.map((problem) => `; ${problem}`).join("")}`,
    );
  }
  return {
    ...{ device, seed },
    seconds: Math.round(seconds),
    commit: code?.commit?.slice(0, 12) ?? null,
    day: started?.slice(0, 10) ?? null,
    processor: machine?.processor ?? null,
    results: inOrder(results).map((
      { claim, family, verdict, expected, measured, worst, bound, runs, violations, n },
    ) => ({
      ...{ claim, family, verdict, expected, measured, worst, bound, runs, violations, n },
    })),
  };
}

/** As the registry has the claims, and not as shares came. */
function inOrder(results: readonly VerificationResult[]): VerificationResult[] {
  const places = new Map(claims.map(({ name }, at) => [name, at]));
  return results.toSorted((a, b) => (places.get(a.claim) ?? Infinity) - (places.get(b.claim) ?? Infinity));
}

/** Head of the table of claims. */
export const verificationHead: readonly string[] = [
  "claim",
  "families",
  "keys",
  "runs",
  "verdicts",
  "nearest",
  "above",
];

/** A claim in a row: how many cases, their sizes and runs, what came of them, and how near they came to the bound. */
export function verificationRows({ results }: KeptVerification): string[][] {
  const claims = [...new Set(results.map(({ claim }) => claim))];
  return claims.map((claim) => {
    const own = results.filter((one) => one.claim === claim), ran = own.filter(({ runs }) => runs > 0);
    return [
      `\`${claim}\``,
      String(own.length),
      range(ran.map(({ n }) => n)),
      range(ran.map(({ runs }) => runs)),
      verdictsOf(own),
      nearest(ran),
      oftenest(ran),
    ];
  });
}

/** What a verification says in all, in two sentences. */
export function verificationSummary(
  { results, seed, seconds, device, commit, day, processor }: KeptVerification,
): string {
  const count = (standing: Standing) => results.filter((one) => standingOf(one) === standing).length;
  const [holds, refuted, open, vacuous] = [
    count("holds"),
    count("expected"),
    count("inconclusive"),
    count("vacuous"),
  ];
  const against = count("against") + count("better"),
    failed = count("error"),
    without = count("not-applicable");
  return `Of ${results.length} cases ${holds} hold and ${refuted} are refuted as theory says; ${against} stand against ` +
    `expectation, ${open} are open, ${vacuous} vacuous, ${failed} could not run, ${without} do not apply. Seed ${seed}, ` +
    `${device}, ${
      Math.round(seconds / 60)
    } minutes of one core in all (${processor}), ${day}, commit \`${commit}\`.`;
}

function range(values: readonly number[]): string {
  if (values.length === 0) return "–";
  const least = Math.min(...values), most = Math.max(...values);
  return least === most ? grouped(least) : `${grouped(least)} to ${grouped(most)}`;
}

const grouped = (value: number) => value.toLocaleString("en-US");

function verdictsOf(cases: readonly KeptCase[]): string {
  const verdicts = [...new Set(cases.map(({ verdict }) => verdict))].sort();
  return verdicts.map((verdict) => {
    const own = cases.filter((one) => one.verdict === verdict);
    return `${own.length} ${verdict}`;
  }).join(", ");
}

/** The largest share of runs above the bound of a case that holds. */
function oftenest(cases: readonly KeptCase[]): string {
  const holding = cases.filter(({ verdict, violations }) => verdict === "holds" && violations !== null);
  const share = holding.reduce((most, { violations, runs }) => Math.max(most, violations! / runs), 0);
  return holding.length === 0 ? "–" : String(Number(share.toPrecision(2)));
}

/** The largest share of its bound that a case which holds comes to. */
function nearest(cases: readonly KeptCase[]): string {
  const shares = cases.filter(({ verdict, bound }) => verdict === "holds" && bound > 0)
    .map(({ measured, bound }) => measured / bound);
  return shares.length === 0 ? "–" : String(Number(Math.max(...shares).toPrecision(2)));
}
