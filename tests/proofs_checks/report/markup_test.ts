/** Nothing that a report's file holds becomes markup of the page. */
import { assert, assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import { rankMethods } from "../../../proofs_checks/comparison/ranks.ts";
import type { ComparisonReport, ComparisonsReport } from "../../../proofs_checks/comparison/report.ts";
import { html } from "../../../proofs_checks/report/html.ts";
import { mergeReports } from "../../../proofs_checks/report/merge.ts";
import { makePage, type PageParts } from "../../../proofs_checks/report/page.ts";
import { plottedPoints, resultsOfEveryLook, scalingReport, verificationFile } from "./reports.ts";

const HOSTILE = `"><script>alert(1)</script><img src=x onerror=alert(2)>'\`\${3}</style></svg>&lt;`;
/** Markup of it that a page must not hold; "<img src=x" would be a tag, "&lt;img src=x" is not. */
const DANGEROUS = ["<script", "<img", "onerror=alert(2)>"];

/** Every place of a string in a value, as the keys that lead there. */
function* stringPlaces(value: unknown, place: readonly string[] = []): Generator<readonly string[]> {
  if (typeof value === "string") yield place;
  if (typeof value !== "object" || value === null) return;
  for (const [key, entry] of Object.entries(value)) yield* stringPlaces(entry, [...place, key]);
}

/** A copy with another string in every one of these places. */
function withStrings<T>(value: T, places: readonly (readonly string[])[], text: (at: number) => string): T {
  const copy = structuredClone(value);
  for (const [at, place] of places.entries()) {
    // deno-lint-ignore no-explicit-any
    let object: any = copy;
    for (const key of place.slice(0, -1)) object = object[key];
    object[place[place.length - 1]] = text(at);
  }
  return copy;
}

function assertHarmless(page: string, message = ""): void {
  for (const markup of DANGEROUS) assert(!page.includes(markup), `${markup} is in the page: ${message}`);
}

const comparison: ComparisonReport = {
  schema: "kdeformer-comparison",
  version: 1,
  problem: {
    workload: "w",
    description: "d",
    n_q: 8,
    n_k: 8,
    d: 4,
    d_v: 4,
    heads: 1,
    scale: 0.5,
    causal: false,
  },
  device: "wasm",
  adapter: "made up",
  seed: 1,
  seeds: 1,
  repeat: 1,
  seconds: 1,
  "mean_value_error": 0.9,
  points: ["exact", "calibrated", "routed"].map((method, at) => ({
    method,
    ran: at === 1 ? "other" : method,
    budget: at === 0 ? null : 8,
    bucket: 4,
    samples: 8,
    seconds: at === 2 ? null : 0.01 / (at + 1),
    all_seconds: [0.01],
    speedup: at === 2 ? null : at + 1,
    evaluations_per_query: 8,
    error: at === 2 ? null : at / 10,
    worst_error: at === 2 ? null : at / 9,
    errors: [at / 10],
    "product_error": at === 2 ? null : at / 20,
    front: at === 1,
    "front_of_evaluations": at === 1,
    "peak_bytes": 1e6,
    fell_back: "why",
    refused: at === 2 ? "why not" : null,
  })),
  replay: "deno run -A cli.ts compare",
};

async function everything(): Promise<PageParts> {
  const report = await verificationFile();
  const results = resultsOfEveryLook(report.results[0]);
  const verification = { ...report, results, points: plottedPoints, problems: ["a problem"] };
  const comparisons: ComparisonsReport = {
    ...{ schema: "kdeformer-comparisons", version: 1, device: "wasm", adapter: "made up", seconds: 1 },
    ...{ interrupted: true, ranks: rankMethods([comparison]), comparisons: [], replay: "deno run" },
  };
  return { verification, scaling: scalingReport, comparison, comparisons };
}

/** Words that decide which part of a page is drawn; other text in their place draws less. */
const DECIDE = ["schema", "mode", "verdict", "expected"];

Deno.test("markup in every string of a report, drawn plots included, comes out as text", async () => {
  const parts = await everything();
  const places = [...stringPlaces(parts)].filter((place) => !DECIDE.includes(place[place.length - 1]));
  assert(places.length > 70, `${places.length} strings`);
  // Where the names of claims decide what is plotted they stay; the names of families are drawn.
  const drawn = places.filter((place) => !(place.includes("points") && place[place.length - 1] === "claim"));
  const page = await makePage(withStrings(parts, drawn, (at) => `${at}${HOSTILE}`));
  assertHarmless(page);
  assertStringIncludes(page, "&lt;script&gt;alert(1)&lt;/script&gt;");
  // In the pictures too: vega draws names as text.
  const pictures = page.match(/<svg [\s\S]*?<\/svg>/g)!;
  assert(pictures.length >= 14 && pictures.some((picture) => picture.includes("&lt;script")));
  assertEquals(page.match(/<svg /g)!.length, page.match(/<\/svg>/g)!.length);
});

Deno.test("markup in the place of a word that decides what is drawn is refused before it gets to a page", async () => {
  const { verification, scaling } = await everything();
  const parts = { verification, scaling };
  const places = [...stringPlaces(parts)].filter((place) => DECIDE.includes(place[place.length - 1]));
  assert(places.length >= 12);
  for (const place of places) {
    const hostile = withStrings(parts, [place], () => HOSTILE);
    const error = assertThrows(() => mergeReports([hostile.verification, hostile.scaling]), RangeError);
    assertStringIncludes((error as Error).message, `${place[place.length - 1]} must be one of`);
  }
});

Deno.test("the page forbids scripts, and looks distinct where something could not run", async () => {
  const page = await makePage(await everything());
  assertMatch(
    page,
    /<meta http-equiv="Content-Security-Policy" content="default-src &#39;none&#39;; script-src &#39;none&#39;;/,
  );
  assertMatch(page, /^<!DOCTYPE html>/);
  assertStringIncludes(
    page,
    'class="error" title="residual-mass on broken: could not run; run 0: no network"',
  );
  assertStringIncludes(page, 'class="not-applicable" title="residual-mass on tiny: not applicable;');
  assertStringIncludes(page, "<li>a problem</li>");
  assertMatch(page, /<b>1<\/b>could not run/);
  const whole = await makePage({ verification: await verificationFile() });
  assert(!whole.includes("could not run") && !whole.includes("not of one whole"));
});

Deno.test("html escapes every value but what is HTML already", () => {
  const inner = html`<i>${`a<b>&"'`}</i>`;
  assertEquals(
    html`<p title="${`"'`}">${[inner, "<", 3, null]}</p>`.text,
    '<p title="&quot;&#39;"><i>a&lt;b&gt;&amp;&quot;&#39;</i>&lt;3</p>',
  );
});
