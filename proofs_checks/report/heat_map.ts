import { type Standing, standingOf } from "../engine/outcome.ts";
import type { VerificationReport, VerificationResult } from "../engine/report.ts";
import { escapeHtml, shortNumber } from "./html.ts";

/** How a verdict looks: a class of the style sheet, a sign for those who see no colours, and words. */
export interface Look {
  readonly name: "holds" | "expected" | "against" | "inconclusive";
  readonly sign: string;
  readonly words: string;
}

/** The look of a result. */
export function lookOf({ verdict, expected }: VerificationResult): Look {
  if (verdict === "inconclusive") return { name: "inconclusive", sign: "?", words: "inconclusive" };
  if (verdict === "holds") {
    return {
      name: "holds",
      sign: "✓",
      words: expected === "holds" ? "holds" : "holds, better than expected",
    };
  }
  return expected === "refuted"
    ? { name: "expected", sign: "✕", words: "refuted, as expected" }
    : { name: "against", sign: "✕", words: "refuted against expectation" };
}

/** Claims down, families across; a table, so that it can be read aloud and scrolled on a phone with its headings in sight. */
export function heatMap({ results }: VerificationReport): string {
  const claims = [...new Set(results.map(({ claim }) => claim))];
  const counts = new Map<string, number>();
  for (const { family } of results) counts.set(family, (counts.get(family) ?? 0) + 1);
  const families = [...counts.keys()].sort((a, b) => counts.get(b)! - counts.get(a)!);
  const byName = new Map(results.map((result) => [`${result.claim} ${result.family}`, result]));
  const cell = (claim: string, family: string) => {
    const result = byName.get(`${claim} ${family}`);
    if (!result) return "<td></td>";
    const { name, sign, words } = lookOf(result);
    const title = `${claim} on ${family}: ${words}; ${shortNumber(result.measured)} against ${
      shortNumber(result.bound)
    }, ${result.runs} runs`;
    return `<td class="${name}" title="${escapeHtml(title)}">${sign}</td>`;
  };
  const head = families.map((family) => `<th scope="col"><span>${escapeHtml(family)}</span></th>`).join("");
  const body = claims.map((claim) =>
    `<tr><th scope="row" title="${claim}"><a href="#${claim}">${claim}</a></th>${
      families.map((family) => cell(claim, family)).join("")
    }</tr>`
  );
  return `<p class="key"><span class="holds">✓ holds</span><span class="expected">✕ refuted, as expected</span>` +
    `<span class="inconclusive">? inconclusive</span><span class="against">✕ refuted against expectation</span></p>` +
    `<div class="scroll" tabindex="0"><table class="heat"><thead><tr><th></th>${head}</tr></thead><tbody>${
      body.join("\n")
    }</tbody></table></div>`;
}
