import process from "node:process";
import type { PageParts } from "../proofs_checks/report/page.ts";
import { writeWhole } from "../files/write_whole.ts";

/** Options of the commands that make a report. */
export const reportOptions = {
  json: {
    kind: "text",
    value: "FILE",
    help: "write the report as JSON; - for the output, and nothing else there",
  },
  report: { kind: "text", value: "FILE.html", help: "write the report as a page" },
} as const;

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
): Promise<void> {
  const [data] = Object.values(parts), whole = `${JSON.stringify(data)}\n`;
  process.stdout.write(json === "-" ? whole : text);
  if (json !== undefined && json !== "-") await writeWhole(json, whole);
  if (report === undefined) return;
  // Plots take a library that only pages need.
  const { writePage } = await import("./report_page.ts");
  await writePage(report, parts);
}
