import { type Standing, standingOf } from "../engine/standing.ts";
import type { VerificationReport, VerificationResult } from "../engine/report.ts";
import { type Html, html, shortNumber } from "./html.ts";

/** How a verdict looks: a class of the style sheet, a sign for those who see no colours, and words. */
export interface Look {
  readonly name: "holds" | "expected" | "against" | "inconclusive" | "error" | "not-applicable" | "vacuous";
  readonly sign: string;
  readonly words: string;
}

const LOOKS: Readonly<Record<Standing, Look>> = {
  "holds": { name: "holds", sign: "✓", words: "holds" },
  "better": { name: "against", sign: "✕", words: "holds where it must fail" },
  "expected": { name: "expected", sign: "✕", words: "refuted, as expected" },
  "against": { name: "against", sign: "✕", words: "refuted against expectation" },
  "inconclusive": { name: "inconclusive", sign: "?", words: "inconclusive" },
  "error": { name: "error", sign: "!", words: "could not run" },
  "not-applicable": { name: "not-applicable", sign: "–", words: "not applicable" },
  "vacuous": { name: "vacuous", sign: "∅", words: "vacuous: nothing was at stake" },
};

/** The look of a result. */
export function lookOf(result: VerificationResult): Look {
  return LOOKS[standingOf(result)];
}

/** Looks from the one that matters most to the one that does least. */
const WORST_FIRST: readonly Look["name"][] = [
  "against",
  "error",
  "vacuous",
  "inconclusive",
  "not-applicable",
  "expected",
  "holds",
];

/** With more columns nobody finds one: what a single claim has then shares the first. */
const MOST_COLUMNS = 30;

/**
 * Claims down, families across; a table, so that it can be read aloud and scrolled on a phone with its headings in sight. Where there are many,
 * inputs that a claim makes for itself share a column.
 */
export function heatMap({ results }: VerificationReport): Html {
  const claims = [...new Set(results.map(({ claim }) => claim))];
  const counts = new Map<string, number>();
  for (const { family } of results) counts.set(family, (counts.get(family) ?? 0) + 1);
  const isOwn = (family: string) => counts.size > MOST_COLUMNS && counts.get(family) === 1;
  const families = [...counts.keys()].filter((family) => !isOwn(family))
    .sort((a, b) => counts.get(b)! - counts.get(a)!);
  const hasOwn = families.length < counts.size;
  const byName = new Map(results.map((result) => [`${result.claim} ${result.family}`, result]));
  const cell = (claim: string, family: string) => {
    const result = byName.get(`${claim} ${family}`);
    if (!result) return html`<td></td>`;
    const { name, sign, words } = lookOf(result);
    const found = result.reason ??
      `${shortNumber(result.measured)} against ${shortNumber(result.bound)}, ${result.runs} runs`;
    return html`<td class="${name}" title="${claim} on ${family}: ${words}; ${found}">${sign}</td>`;
  };
  const ownCell = (claim: string) => {
    const own = results.filter((result) => result.claim === claim && isOwn(result.family));
    if (own.length === 0) return html`<td></td>`;
    const place = (result: VerificationResult) => WORST_FIRST.indexOf(lookOf(result).name);
    const worst = own.reduce((a, b) => place(b) < place(a) ? b : a), { name, sign } = lookOf(worst);
    const words = own.map((result) => `${result.family}: ${lookOf(result).words}`).join("; ");
    return html`<td class="${name}" title="${claim} on ${words}">${sign}${
      own.length > 1 ? ` ${own.length}` : ""
    }</td>`;
  };
  const head = [
    ...hasOwn ? [html`<th scope="col"><span>inputs of its own</span></th>`] : [],
    ...families.map((family) => html`<th scope="col"><span>${family}</span></th>`),
  ];
  const body = claims.map((claim) =>
    html`
      <tr><th scope="row" title="${claim}"><a href="#${claim}">${claim}</a></th>${hasOwn
        ? ownCell(claim)
        : null}${families.map((family) => cell(claim, family))}</tr>
    `
  );
  const shown = new Set(results.map((result) => lookOf(result).name));
  const key = Object.values(LOOKS).filter(({ name, words }) =>
    words !== LOOKS.better.words && (
      !["error", "not-applicable", "vacuous"].includes(name) || shown.has(name)
    )
  );
  return html`
    <p class="key">${key.map(({ name, sign, words }) =>
      html`<span class="${name}">${sign} ${words}</span>`
    )}</p>
    <div class="scroll" tabindex="0">
      <table class="heat">
        <thead>
          <tr><th></th>${head}</tr>
        </thead>
        <tbody>${body}</tbody>
      </table>
    </div>
  `;
}
