import { stat } from "node:fs/promises";
import { fileError } from "../files/file_error.ts";
import type { VerificationReport } from "../proofs_checks/engine/report.ts";
import { mergeReports } from "../proofs_checks/report/merge.ts";
import { UsageError } from "./arguments.ts";
import { warn } from "./printable.ts";
import { readReport } from "./read_report.ts";

/** The evidence of earlier verifications, to which one is added. */
export interface Ledger {
  /** The seed of the verification that continues it: one that it does not have. */
  readonly seed: number;
  /** The evidence with that of a verification; problems are told on the error stream. */
  add(report: VerificationReport): VerificationReport;
}

/**
 * Opens a ledger, one that is not there yet as an empty one.
 *
 * @param path What `--continue` names.
 * @param seed The seed that is asked for; the one after the largest of the ledger if left out, or `first`.
 * @throws {UsageError} If the ledger has that seed.
 * @throws {Error} If the file cannot be read or is no verification.
 */
export async function openLedger(path: string, seed: number | undefined, first: number): Promise<Ledger> {
  const there = await stat(path).then(() => true, (error) => {
    // Only what is not there is empty: a file that may not be seen would be overwritten.
    if (error.code === "ENOENT") return false;
    throw fileError("read", path, error);
  });
  const known = there ? mergeReports([await readReport(path)], [path]).verification : undefined;
  if (there && !known) throw new UsageError(`--continue takes a report of verify: ${path} holds none`);
  if (!known) return { seed: seed ?? first, add: (report) => report };
  const seeds = known.seeds ?? [known.seed];
  if (seed !== undefined && seeds.includes(seed)) {
    throw new UsageError(
      `--seed ${seed} is in ${path} already: the same evidence twice is no more than once`,
    );
  }
  return {
    seed: seed ?? Math.max(...seeds) + 1,
    add(report) {
      const { verification, problems, notes } = mergeReports([known, report], [path, "this verification"]);
      for (const note of notes) warn(`Note: ${note}`);
      for (const problem of problems) warn(`PROBLEM: ${problem}`);
      return verification!;
    },
  };
}
