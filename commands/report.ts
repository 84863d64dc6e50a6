import { mergeReports } from "../proofs_checks/report/merge.ts";
import { describeOptions, readOptions, UsageError } from "./arguments.ts";
import { openOutputs } from "./outputs.ts";
import { jsonLine, warn } from "./printable.ts";
import { readReport } from "./read_report.ts";
import { preparePlots } from "./report_files.ts";
import { exitCode, summary } from "./verify_lines.ts";

const options = {
  merge: {
    kind: "list",
    value: "A.json …",
    help: "reports of verify and scaling; shares of one verification are joined, and seeds",
  },
  out: { kind: "text", value: "FILE.html", help: "where to write the page; - for the output" },
  json: {
    kind: "target",
    value: "[FILE]",
    help:
      "write the joined verification as JSON; without FILE or with - to the output, and nothing else there",
  },
} as const;

/** `report`: joins reports into one page. */
export const report = {
  summary: "join reports of verify and scaling into one page",
  help: (): string =>
    `Usage: cli.ts report --merge A.json B.json … --out FILE.html [options]\n\n${describeOptions(options)}\n`,
  async run(args: readonly string[]): Promise<number> {
    const { merge, out, json } = readOptions("report", options, args);
    if (!merge) throw new UsageError("report needs --merge A.json …");
    if (out === undefined && json === undefined) {
      throw new UsageError("report needs --out FILE.html or --json FILE");
    }
    const outputs = await openOutputs({ out, json });
    const { problems, notes, ...parts } = mergeReports(await Promise.all(merge.map(readReport)), merge);
    for (const note of notes) warn(`Note: ${note}`);
    for (const problem of problems) warn(`PROBLEM: ${problem}`);
    if (out !== undefined) await preparePlots();
    const { verification } = parts;
    if (verification) outputs.print(summary(verification));
    if (json !== undefined) await outputs.write("json", jsonLine(verification ?? parts.scaling));
    if (out !== undefined) {
      const { makePage } = await import("../proofs_checks/report/page.ts");
      await outputs.write("out", await makePage(parts));
    }
    return problems.length > 0 || verification && exitCode(verification) !== 0 ? 1 : 0;
  },
};
