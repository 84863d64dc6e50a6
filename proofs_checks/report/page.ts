import type { ComparisonReport } from "../comparison/report.ts";
import type { ClaimText, VerificationReport, VerificationResult } from "../engine/report.ts";
import type { ScalingReport } from "../scaling/report.ts";
import { comparisonPlot } from "./comparison_plot.ts";
import { comparisonTable } from "./comparison_table.ts";
import { heatMap, lookOf } from "./heat_map.ts";
import { escapeHtml, shortNumber } from "./html.ts";
import { matrixPlot } from "./matrix_plot.ts";
import type { Plot } from "./plot.ts";
import { renderPlot } from "./render.ts";
import { scalingDetails, scalingPlots } from "./scaling_plots.ts";
import { scalingTable } from "./scaling_table.ts";
import { sortedMatrix } from "./sorted_matrix.ts";
import { certificateScatter, errorAgainstBudget, hardnessCurve, margins } from "./verification_plots.ts";
import { STYLE } from "./style.ts";

/** What a page is made of; any part may be missing. */
export interface PageParts {
  readonly verification?: VerificationReport;
  readonly scaling?: ScalingReport;
  readonly comparison?: ComparisonReport;
}

const WIDE = 1080, NARROW = 350;

/** One self-contained page: no script, no network, every plot drawn beforehand. */
export async function makePage({ verification, scaling, comparison }: PageParts): Promise<string> {
  const parts: string[] = [];
  if (verification) parts.push(await verificationPart(verification));
  if (scaling) parts.push(await scalingPart(scaling));
  if (comparison) parts.push(await comparisonPart(comparison));
  const title = verification || scaling ? "KDEformer: what holds" : "KDEformer: error against time";
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>${title}</title>
<style>${STYLE}</style>
</head>
<body>
<h1>${title}</h1>
${parts.join("\n")}
</body>
</html>
`;
}

async function figure({ title, caption, spec, aspect: [wide, narrow] = [0.5, 1] }: Plot): Promise<string> {
  const draw = (isNarrow: boolean) =>
    isNarrow ? renderPlot(spec(true), NARROW, NARROW * narrow) : renderPlot(spec(false), WIDE, WIDE * wide);
  return `<figure><h3>${escapeHtml(title)}</h3><figcaption>${escapeHtml(caption)}</figcaption>` +
    `<div class="wide">${await draw(false)}</div><div class="narrow">${await draw(true)}</div></figure>`;
}

async function figures(plots: readonly (Plot | undefined)[]): Promise<string> {
  const drawn: string[] = [];
  for (const plot of plots) if (plot) drawn.push(await figure(plot));
  return drawn.join("\n");
}

async function verificationPart(report: VerificationReport): Promise<string> {
  const { results, claims, device, adapter, seed, seconds, level, family_size: size } = report;
  const looks = results.map(lookOf),
    count = (name: string) => looks.filter((look) => look.name === name).length;
  const distinct = (field: "claim" | "family") => new Set(results.map((result) => result[field])).size;
  const number = (value: number, words: string, tone = "") =>
    `<li class="${tone}"><b>${value}</b>${words}</li>`;
  const failures = results.filter((_, at) => looks[at].name !== "holds");
  return `<p>${distinct("claim")} claims, ${
    distinct("family")
  } families of inputs, ${results.length} verdicts by statistics that may be ` +
    `looked at and stopped at any time. The probability that any of them is false is at most ${level}, over all ${size} together (Holm).</p>
<p class="muted">${escapeHtml(device)}: ${escapeHtml(adapter)}; seed ${seed}; ${Math.round(seconds)} s</p>
<ul class="numbers">${number(count("holds"), "hold", "good")}${
      number(count("expected"), "refuted, as expected")
    }${number(count("inconclusive"), "inconclusive", count("inconclusive") ? "unsure" : "")}${
      number(count("against"), "refuted against expectation", count("against") ? "bad" : "good")
    }</ul>
<h2>Claims and inputs</h2>
${heatMap(report)}
<h2>What does not hold, and how to see it</h2>
${failures.length === 0 ? "<p>Everything holds.</p>" : failures.map(failure).join("\n")}
<h2>Measurements</h2>
${await figures([
      errorAgainstBudget(report),
      certificateScatter(report),
      hardnessCurve(report),
      matrixPlot(await sortedMatrix()),
      margins(report),
    ])}
<h2>The claims</h2>
${claims.map((claim) => explain(claim, results.filter((result) => result.claim === claim.name))).join("\n")}`;
}

function failure(result: VerificationResult): string {
  const { name, words } = lookOf(result),
    { claim, family, measured, bound, runs, replay, why, note } = result;
  return `<div class="case ${name}"><b><a href="#${claim}">${claim}</a> on ${
    escapeHtml(family)
  }</b>: ${words}; ` +
    `${shortNumber(measured)} against ${shortNumber(bound)} in ${runs} runs.${
      why ? ` Expected: ${escapeHtml(why)}.` : ""
    }` +
    `${note ? ` ${escapeHtml(note)}.` : ""}<br><code>${escapeHtml(replay)}</code></div>`;
}

function explain(claim: ClaimText, results: readonly VerificationResult[]): string {
  const { name, statement, formula, source, assumptions, measurement, rule } = claim;
  const terms = Object.entries({ formula, source, assumptions, measurement, verdict: rule })
    .map(([term, text]) => `<dt>${term}</dt><dd>${escapeHtml(text)}</dd>`);
  const rows = results.map((result) => {
    const { name: look, sign, words } = lookOf(result);
    return `<tr><td class="${look}" title="${words}">${sign}</td><td>${escapeHtml(result.family)}</td>` +
      [result.measured, result.bound, result.margin, result.worst, result.runs, result.n].map((value) =>
        `<td class="number">${shortNumber(value)}</td>`
      ).join("") + `<td><code>${escapeHtml(result.replay)}</code></td></tr>`;
  });
  return `<div id="${name}"><h3>${name}</h3><p>${escapeHtml(statement)}.</p><dl>${terms.join("")}</dl>` +
    `<details><summary>${results.length} verdicts</summary><div class="scroll"><table class="all"><tr><th></th><th>family</th>` +
    `<th>measured</th><th>bound</th><th>margin</th><th>worst</th><th>runs</th><th>n</th><th>replay</th></tr>${
      rows.join("\n")
    }</table></div></details></div>`;
}

async function scalingPart(report: ScalingReport): Promise<string> {
  const { device, adapter, seconds, replay } = report;
  return `<h2>Scaling</h2>
<p class="muted">${escapeHtml(device)}: ${escapeHtml(adapter)}; ${Math.round(seconds)} s; <code>${
    escapeHtml(replay)
  }</code></p>
${scalingTable(report)}
${await figures([...scalingPlots(report), ...scalingDetails(report)])}`;
}

async function comparisonPart(report: ComparisonReport): Promise<string> {
  const { problem, device, adapter, seed, seeds, repeat, seconds, replay } = report;
  const { description, heads, n_q: queries, n_k: keys, d: features, d_v: width, causal } = problem;
  return `<h2>${escapeHtml(problem.workload)}</h2>
<p>${escapeHtml(description)}</p>
<p>${heads} head${heads === 1 ? "" : "s"}, ${queries} queries × ${keys} keys${
    causal ? " in causal order" : ""
  }, d ${features}, d_v ${width}. A budget of f is f samples and f/2 keys in the block of each query. Times are medians of ${repeat} interleaved round${
    repeat === 1 ? "" : "s"
  }; errors are the median and the worst over ${seeds} seed${seeds === 1 ? "" : "s"}.</p>
<p class="muted">${escapeHtml(device)}: ${escapeHtml(adapter)}; first seed ${seed}; ${
    Math.round(seconds)
  } s; <code>${escapeHtml(replay)}</code></p>
${await figures([comparisonPlot(report)])}
${comparisonTable(report)}`;
}
