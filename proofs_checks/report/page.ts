import { originsTable } from "./origins_table.ts";
import { RANK_WORDS } from "../comparison/rank_columns.ts";
import type { ComparisonReport, ComparisonsReport } from "../comparison/report.ts";
import type { ClaimText, VerificationReport, VerificationResult } from "../engine/report.ts";
import type { ScalingReport } from "../scaling/report.ts";
import { comparisonPlot } from "./comparison_plot.ts";
import { evaluationPanels, memoryPanels, timePanels } from "./comparison_panels.ts";
import { comparisonTable, rankTable } from "./comparison_table.ts";
import { coverageCurve } from "./coverage_plot.ts";
import { heatMap, type Look, lookOf } from "./heat_map.ts";
import { inWords } from "./in_words.ts";
import { Html, html, shortNumber } from "./html.ts";
import { matrixPlot } from "./matrix_plot.ts";
import type { Plot } from "./plot.ts";
import { renderPlot } from "./render.ts";
import { scalingDetails, scalingPlots } from "./scaling_plots.ts";
import { scalingTable } from "./scaling_table.ts";
import { sortedMatrix } from "./sorted_matrix.ts";
import { certificateScatter, errorAgainstBudget, hardnessCurve, margins } from "./verification_plots.ts";
import { STYLE } from "./style.ts";
import { numberCell, table } from "./table.ts";

/** What a page is made of; any part may be missing. */
export interface PageParts {
  readonly verification?: VerificationReport;
  readonly scaling?: ScalingReport;
  readonly comparison?: ComparisonReport;
  readonly comparisons?: ComparisonsReport;
}

const WIDE = 1080, NARROW = 350;

/** Whatever a report holds, browsers load nothing and run nothing: styles stand in the page, the icon in its address. */
const POLICY =
  "default-src 'none'; script-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'";

/** One self-contained page: no script, no network, every plot drawn beforehand. */
export async function makePage(
  { verification, scaling, comparison, comparisons }: PageParts,
): Promise<string> {
  const parts: Html[] = [];
  if (verification) parts.push(await verificationPart(verification));
  if (scaling) parts.push(await scalingPart(scaling));
  if (comparison) parts.push(await comparisonPart(comparison));
  if (comparisons) parts.push(await comparisonsPart(comparisons));
  const title = verification || scaling ? "KDEformer: what holds" : "KDEformer: error against time";
  const page = html`
    <!DOCTYPE html>
    <html lang="en">
      <head>
        <meta charset="utf-8">
        <meta http-equiv="Content-Security-Policy" content="${POLICY}">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <link rel="icon" href="data:,">
        <title>${title}</title>
        <style>${new Html(STYLE)}</style>
      </head>
      <body>
    <h1>${title}</h1>
    ${parts}
      </body>
    </html>
  `;
  return `${page.text.trim()}\n`;
}

async function figure({ title, caption, spec, aspect: [wide, narrow] = [0.5, 1] }: Plot): Promise<Html> {
  const draw = (isNarrow: boolean) =>
    isNarrow ? renderPlot(spec(true), NARROW, NARROW * narrow) : renderPlot(spec(false), WIDE, WIDE * wide);
  return html`
    <figure>
      <h3>${title}</h3>
      <figcaption>${caption}</figcaption>
      <div class="wide">${await draw(
        false,
      )}</div>
      <div class="narrow">${await draw(true)}</div>
    </figure>
  `;
}

async function figures(plots: readonly (Plot | undefined)[]): Promise<Html[]> {
  const drawn: Html[] = [];
  for (const plot of plots) if (plot) drawn.push(await figure(plot));
  return drawn;
}

async function verificationPart(report: VerificationReport): Promise<Html> {
  const { results, claims, device, adapter, seed, seeds = [seed], seconds, problems = [] } = report;
  const looks = results.map(lookOf),
    count = (name: Look["name"]) => looks.filter((look) => look.name === name).length;
  const number = (value: number, words: string, tone = "") =>
    html`<li class="${tone}"><b>${value}</b>${words}</li>`;
  const errors = count("error"), apart = count("not-applicable"), vacuous = count("vacuous");
  const failures = results.filter((_, at) => looks[at].name !== "holds");
  return html`
    ${problems.length > 0
      ? html`<div class="case error"><b>This report is not of one whole verification.</b><ul>${
        problems.map((problem) => html`<li>${problem}</li>`)
      }</ul></div>`
      : null}<ol class="words">${inWords(report).map((sentence) => html`<li>${sentence}</li>`)}</ol>
    <p
      class="muted">${device}: ${adapter}; seed ${seeds.join(", ")}; ${Math.round(
        seconds,
      )} s. Evidence may be looked at and stopped at any time; verdicts share their level by Holm's procedure.</p>
    ${originsTable(report)}
    <ul class="numbers">${number(count("holds"), "hold", "good")}${number(
      count("expected"),
      "refuted, as expected",
    )}${number(count("inconclusive"), "inconclusive", count("inconclusive") ? "unsure" : "")}${number(
      count("against"),
      "against expectation",
      count("against") ? "bad" : "good",
    )}${errors > 0 ? number(errors, "could not run", "bad") : null}${vacuous > 0
      ? number(vacuous, "vacuous", "bad")
      : null}${apart > 0 ? number(apart, "not applicable") : null}</ul>
    <h2>Claims and inputs</h2>
    ${heatMap(report)}
    <h2>What does not hold, and how to see it</h2>
    ${failures.length === 0 ? html`<p>Everything holds.</p>` : failures.map(failure)}
    <h2>Measurements</h2>
    ${await figures([
      errorAgainstBudget(report),
      certificateScatter(report),
      coverageCurve(report),
      hardnessCurve(report),
      matrixPlot(await sortedMatrix()),
      margins(report),
    ])}
    <h2>The claims</h2>
    <p>“sees” is the least fault that would have been refuted with a chance of 95 %: errors so many times as large in every run, or a
    mean or a slope so far off.</p>
    ${claims.map((claim) => explain(claim, results.filter((result) => result.claim === claim.name)))}
  `;
}

function failure(result: VerificationResult): Html {
  const { name, words } = lookOf(result);
  const { claim, family, measured, bound, runs, replay, why, note, reason } = result;
  const found = reason ?? `${shortNumber(measured)} against ${shortNumber(bound)} in ${runs} runs`;
  return html`
    <div
      class="case ${name}"><b><a href="#${claim}">${claim}</a> on ${family}</b>: ${words}; ${found}.${why
        ? ` Expected: ${why}.`
        : ""}${note && note !== reason ? ` ${note}.` : ""}<br><code>${replay}</code></div>
  `;
}

const VERDICT_HEADS = ["", "family", "measured", "bound", "margin", "worst", "runs", "n", "sees", "replay"];

/** The least fault that would have been refuted. */
function seen({ detects, verdict }: VerificationResult): string {
  if (!detects || verdict === "refuted") return "";
  if (detects.factor !== null) return `× ${shortNumber(detects.factor)}`;
  return detects.bias === null ? "" : `± ${shortNumber(detects.bias)}`;
}

function explain(claim: ClaimText, results: readonly VerificationResult[]): Html {
  const { name, statement, formula, source, assumptions, measurement, rule, slack } = claim;
  const parts = {
    formula,
    source,
    assumptions,
    measurement,
    verdict: rule,
    ...(slack && { "far inside": slack }),
  };
  const terms = Object.entries(parts)
    .map(([term, text]) =>
      html`
        <dt>${term}</dt>
        <dd>${text}</dd>
      `
    );
  const rows = results.map((result) => {
    const { name: look, sign, words } = lookOf(result);
    const numbers = [result.measured, result.bound, result.margin, result.worst, result.runs, result.n];
    return html`
      <tr><td class="${look}" title="${words}">${sign}</td><td>${result.family}</td>${numbers.map(shortNumber)
        .map(numberCell)}<td>${seen(result)}</td><td><code>${result.replay}</code></td></tr>
    `;
  });
  return html`
    <div id="${name}">
      <h3>${name}</h3>
      <p>${statement}.</p>
      <dl>${terms}</dl>
      <details><summary>${results.length} verdicts</summary>${table(VERDICT_HEADS, rows)}</details>
    </div>
  `;
}

async function scalingPart(report: ScalingReport): Promise<Html> {
  const { device, adapter, seconds, replay } = report;
  return html`<h2>Scaling</h2>
<p class="muted">${device}: ${adapter}; ${Math.round(seconds)} s; <code>${replay}</code></p>
${scalingTable(report)}
${await figures([...scalingPlots(report), ...scalingDetails(report)])}`;
}

async function comparisonPart(report: ComparisonReport): Promise<Html> {
  const { problem, device, adapter, seed, seeds, repeat, seconds, replay } = report;
  const { workload, description, heads, n_q: queries, n_k: keys, d: features, d_v: width, causal } = problem;
  const plural = (count: number) => count === 1 ? "" : "s";
  return html`<h2>${workload}</h2>
<p>${description}</p>
<p>${heads} head${plural(heads)}, ${queries} queries × ${keys} keys${
    causal ? " in causal order" : ""
  }, d ${features}, d_v ${width}. A budget of f is f samples and f/2 keys in the block of each query. ${
    repeat === 0
      ? "Times are medians of the runs that tell errors"
      : `Times are medians of ${repeat} interleaved round${plural(repeat)}`
  }; errors are the median and the worst over ${seeds} seed${plural(seeds)}.</p>
<p class="muted">${device}: ${adapter}; first seed ${seed}; ${
    Math.round(seconds)
  } s; <code>${replay}</code></p>
${await figures([comparisonPlot(report), timePanels(report), evaluationPanels(report), memoryPanels(report)])}
${comparisonTable(report)}`;
}

async function comparisonsPart(
  { comparisons, ranks, interrupted, seconds }: ComparisonsReport,
): Promise<Html> {
  const parts: Html[] = [];
  for (const comparison of comparisons) parts.push(await comparisonPart(comparison));
  return html`${
    interrupted
      ? html`
        <div class="case error"><b>Stopped before the last input.</b></div>
      `
      : null
  }<p>${comparisons.length} inputs, ${Math.round(seconds)} s. ${RANK_WORDS.join(" ")}</p>
${rankTable(ranks)}
${parts}`;
}
