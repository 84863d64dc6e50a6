import { readFile } from "node:fs/promises";
import process from "node:process";
import { type AnyReport, mergeReports } from "../proofs_checks/report/merge.ts";
import { describeOptions, readOptions, UsageError } from "./arguments.ts";
import { writePage } from "./report_page.ts";
import { isAgainst, summary } from "./verify_lines.ts";
import { writeWhole } from "../files/write_whole.ts";

const options = {
  merge: {
    kind: "list",
    value: "A.json …",
    help: "reports of verify and scaling; shares of one verification are joined",
  },
  out: { kind: "text", value: "FILE.html", help: "where to write the page" },
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
    const parts = mergeReports(await Promise.all(merge.map(readReport)));
    if (out !== undefined) await writePage(out, parts);
    const { verification } = parts, text = `${JSON.stringify(verification ?? parts.scaling)}\n`;
    if (json !== undefined && json !== "-") await writeWhole(json, text);
    if (json === "-") process.stdout.write(text);
    else if (verification) process.stdout.write(summary(verification));
    return verification && isAgainst(verification) ? 1 : 0;
  },
};

async function readReport(path: string): Promise<AnyReport> {
  const text = await readFile(path, "utf8");
  try {
    return JSON.parse(text) as AnyReport;
  } catch (error) {
    throw new Error(`Cannot read ${path}: it must hold JSON: ${(error as Error).message}`, { cause: error });
  }
}
