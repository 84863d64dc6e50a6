import type { PageParts } from "../proofs_checks/report/page.ts";
import { openOutputs, type Outputs } from "./outputs.ts";
import { jsonLine } from "./printable.ts";

/** Options of the commands that make a report. */
export const reportOptions = {
  json: {
    kind: "target",
    value: "[FILE]",
    help: "write the report as JSON; without FILE or with - to the output, and nothing else there",
  },
  report: { kind: "text", value: "FILE.html", help: "write the report as a page; - for the output" },
} as const;

/**
 * Opens the outputs of a report, and fetches what draws its plots: what would fail after the work fails before it.
 *
 * @param others Further outputs, by the names of their options.
 * @throws {UsageError} If two outputs are the same.
 * @throws {Error} If a file cannot be written, or plots cannot be drawn.
 */
export async function openReportOutputs(
  { json, report }: { readonly json?: string; readonly report?: string },
  others: Readonly<Record<string, string | undefined>> = {},
): Promise<Outputs> {
  const outputs = await openOutputs({ json, report, ...others });
  if (report !== undefined) await preparePlots();
  return outputs;
}

/**
 * Fetches what draws plots, which only pages need.
 *
 * @throws {Error} If it cannot be fetched.
 */
export async function preparePlots(): Promise<void> {
  const { loadVega } = await import("../proofs_checks/report/render.ts");
  await loadVega();
}

/**
 * Writes the one report of a page's parts where the options ask for it. The output comes first: what was measured is
 * not lost where a file cannot be written.
 *
 * @param text What people read on the output; in its place stands the report under `--json -`.
 * @throws {Error} If a file cannot be written; it appears whole or not at all.
 */
export async function writeReport(
  parts: PageParts,
  text: string,
  { json, report }: { readonly json?: string; readonly report?: string },
  outputs: Outputs,
): Promise<void> {
  const [data] = Object.values(parts);
  outputs.print(text);
  if (json !== undefined) await outputs.write("json", jsonLine(data));
  if (report === undefined) return;
  const { makePage } = await import("../proofs_checks/report/page.ts");
  await outputs.write("report", await makePage(parts));
}
