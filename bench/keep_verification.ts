/**
 * Keeps of a report of `verify` what docs/verification.md is written from: verdicts and measurements, without the points of plots.
 * `deno run -A bench/keep_verification.ts report.json`, then `deno task docs`.
 *
 * @module
 */
import process from "node:process";
import { fileURLToPath } from "node:url";
import { readReport } from "../commands/read_report.ts";
import { writeWhole } from "../files/write_whole.ts";
import type { VerificationReport } from "../proofs_checks/engine/report.ts";
import { keptOf, type KeptVerification } from "./kept_verification.ts";

const [path] = process.argv.slice(2);
if (path === undefined) throw new Error("Cannot keep a verification: name a report of verify");
const report = await readReport(path) as VerificationReport;
if (!Array.isArray(report.results)) throw new Error(`Cannot keep a verification: ${path} is another report`);
const kept: KeptVerification = keptOf(report);
const file = fileURLToPath(new URL("standard_verification.json", import.meta.url));
await writeWhole(file, `${JSON.stringify(kept, null, 2)}\n`);
