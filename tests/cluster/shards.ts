import { assertEquals } from "@std/assert";
import { access, readFile } from "node:fs/promises";
import type { VerificationReport } from "../../proofs_checks/engine/report.ts";
import { cli } from "../child.ts";

/** Options of a verification of a few seconds, a search among its 14 cases; each of 8 shares has one or two. */
export const SMALL: readonly string[] = [
  ...["--claim", "residual-mass", "product-bound", "--runs", "40", "--n", "256", "--family"],
  ...[
    "gaussian",
    "clustered",
    "needle",
    "sink-key",
    "lognormal-logits",
    "heavy-tailed",
    "adversarial-search",
  ],
];

/** A report that verify or report has written. */
export async function readVerification(path: string): Promise<VerificationReport> {
  return JSON.parse(await readFile(path, "utf8"));
}

/** The same verification in one piece. */
export async function verifyWhole(options: readonly string[], path: string): Promise<VerificationReport> {
  const { code, stderr } = await cli("verify", ...options, "--json", path);
  assertEquals(code, 0, stderr);
  return await readVerification(path);
}

/** Sees that two reports have the same cases and say the same of each, to the last bit; how long each took may differ. */
export function assertSameCases(report: VerificationReport, other: VerificationReport): void {
  const byName = ({ results }: VerificationReport) =>
    Object.fromEntries(
      results.map((result) => [`${result.claim} ${result.family}`, { ...result, seconds: 0 }]),
    );
  assertEquals(byName(report), byName(other));
  assertEquals(report.results.length, other.results.length);
}

/** The command that a merge names for a missing share. */
export function missingCommand(text: string, index: number): string {
  return text.match(new RegExp(`PROBLEM: missing shard ${index}: (deno run .*)`))?.[1] ?? `none in: ${text}`;
}

/** Whether a file is there. */
export function exists(path: string): Promise<boolean> {
  return access(path).then(() => true, () => false);
}
