import { codeWord, machineWords, type SharedOrigin } from "../engine/origin.ts";
import type { VerificationReport } from "../engine/report.ts";
import { type Html, html } from "./html.ts";
import { originsOf } from "./origins.ts";
import { table } from "./table.ts";

const HEADS = ["started", "code", "machine", "seed", "shards"], UNKNOWN = "not said";

/** The runs behind a report, each with its date, code and machine. */
export function originsTable(report: VerificationReport): Html {
  const origins = originsOf(report), count = report.shards?.count ?? 1;
  const row = ({ started, code, machine, seed, shards }: SharedOrigin) =>
    html`
      <tr>
        <td>${started ?? UNKNOWN}</td>
        <td>${code ? codeWord(code) : UNKNOWN}</td>
        <td>${machine ? machineWords(machine) : UNKNOWN}</td>
        <td>${seed}</td>
        <td>${count === 1 ? "" : `${shards.join(", ")} of ${count}`}</td>
      </tr>
    `;
  const commits = [...new Set(origins.map(({ code }) => code?.commit))].filter(Boolean);
  return html`<details><summary>${
    origins.length === 1 ? "The run" : `The ${origins.length} runs`
  } behind it</summary>${table(HEADS, origins.map(row))}${
    commits.length > 0 ? html`<p>Commits: ${commits.join(", ")}</p>` : null
  }</details>`;
}
