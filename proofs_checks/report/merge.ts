import { checkFields, unfitValue } from "../../kernels/check_values.ts";
import { formatName } from "../../kernels/format_value.ts";
import { REPORT_VERSION, VERIFICATION_SCHEMA, type VerificationReport } from "../engine/report.ts";
import { decide } from "../engine/verdicts.ts";
import { SCALING_SCHEMA, type ScalingReport } from "../scaling/report.ts";

/** A report of either kind. */
export type AnyReport = VerificationReport | ScalingReport;

const SCALING_FIELDS = { seed: "number", seconds: "number", series: "array" } as const;
const VERIFICATION_FIELDS = {
  seed: "number",
  "family_size": "number",
  seconds: "number",
  claims: "array",
  results: "array",
  points: "array",
} as const;

/**
 * Joins shares of one verification, deciding all verdicts anew: Holm's procedure is about all of them together. Of scaling
 * reports the series are joined.
 *
 * @throws {TypeError} If one is no report of this version, or shares do not belong together.
 */
export function mergeReports(
  reports: readonly AnyReport[],
): { verification?: VerificationReport; scaling?: ScalingReport } {
  if (!Array.isArray(reports)) throw unfitValue("merge", "reports", "an array of reports", reports, false);
  for (const [at, report] of Array.from(reports as readonly AnyReport[]).entries()) {
    checkFields("merge", `reports[${at}]`, report, { schema: "string", version: "number" });
    const { schema, version } = report;
    if (![VERIFICATION_SCHEMA, SCALING_SCHEMA].includes(schema) || version !== REPORT_VERSION) {
      throw new TypeError(
        `Cannot merge: reports must be of version ${REPORT_VERSION} of ${VERIFICATION_SCHEMA} or ${SCALING_SCHEMA}: ` +
          `current value is version ${version} of ${formatName(schema)}`,
      );
    }
    checkFields(
      "merge",
      `reports[${at}]`,
      report,
      schema === SCALING_SCHEMA ? SCALING_FIELDS : VERIFICATION_FIELDS,
    );
  }
  const shares = reports.filter((report): report is VerificationReport =>
    report.schema === VERIFICATION_SCHEMA
  );
  const scalings = reports.filter((report): report is ScalingReport => report.schema === SCALING_SCHEMA);
  return {
    verification: shares.length > 0 ? mergeShares(shares) : undefined,
    scaling: scalings.length > 0
      ? {
        ...scalings[0],
        seconds: scalings.reduce((sum, { seconds }) => sum + seconds, 0),
        series: scalings.flatMap(({ series }) => series),
      }
      : undefined,
  };
}

function mergeShares(shares: readonly VerificationReport[]): VerificationReport {
  const [{ family_size: size, seed }] = shares;
  for (const share of shares) {
    if (share.family_size !== size || share.seed !== seed) {
      throw new TypeError(
        `Cannot merge: shares must be of one verification: seeds ${seed} and ${share.seed}, verdicts in all ${size} and ${share.family_size}`,
      );
    }
  }
  const results = shares.flatMap((share, at) =>
    Array.from(share.results, (result, index) => {
      const name = `results[${index}] of share ${at}`;
      checkFields("merge", name, result, { claim: "string", family: "string" });
      checkFields("merge", `${name}.log_p`, result.log_p, { holds: "number", refuted: "number" });
      return result;
    })
  );
  const names = results.map(({ claim, family }) => `${claim} on ${family}`);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) throw new TypeError(`Cannot merge: ${twice} is in more than one share`);
  const decisions = decide(results.map(({ log_p: logP }) => logP), size);
  const claims = new Map(shares.flatMap((share) => share.claims.map((claim) => [claim.name, claim])));
  return {
    ...shares[0],
    seconds: shares.reduce((sum, { seconds }) => sum + seconds, 0),
    claims: [...claims.values()],
    results: results.map((result, at) => ({ ...result, ...decisions[at] })),
    points: shares.flatMap(({ points }) => points),
  };
}
