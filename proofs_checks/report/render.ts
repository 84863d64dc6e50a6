import process from "node:process";
import { compactSvg } from "./compact_svg.ts";
import { Html } from "./html.ts";

// Not literals at the point of import: the command line must start where no registry can be reached.
const VEGA = "vega@^6.0.0", VEGA_LITE = "vega-lite@^6.0.0";

/** The part of vega in use. */
interface Vega {
  parse(spec: unknown): unknown;
  View: new (runtime: unknown, options: { renderer: "none" }) => { toSVG(): Promise<string> };
}
/** The part of vega-lite in use. */
interface VegaLite {
  compile(spec: unknown): { spec: unknown };
}

/** A vega-lite specification, width and height left out. */
export type PlotSpec = Record<string, unknown>;

/** Colours are names of the page's style sheet, so that one drawing serves light and dark. */
const CONFIG = {
  background: null,
  font: "system-ui, sans-serif",
  view: { stroke: null },
  axis: {
    labelColor: "var(--muted)",
    titleColor: "var(--ink)",
    gridColor: "var(--line)",
    domainColor: "var(--muted)",
    tickColor: "var(--muted)",
    labelFontSize: 12,
    titleFontSize: 13,
    titleFontWeight: "normal",
    labelOverlap: "greedy",
  },
  legend: {
    labelColor: "var(--ink)",
    titleColor: "var(--ink)",
    labelFontSize: 12,
    titleFontSize: 12,
    orient: "bottom",
    direction: "horizontal",
    titleFontWeight: "normal",
    labelLimit: 320,
    symbolStrokeWidth: 2,
  },
  title: { color: "var(--ink)", fontSize: 13, fontWeight: "normal", anchor: "start" },
  text: { color: "var(--ink)", fontSize: 12 },
  line: { strokeWidth: 2 },
};

/** Colours of series, as the page's style sheet names them. */
export const SERIES_COLOURS: readonly string[] = Array.from({ length: 8 }, (_, at) => `var(--s${at})`);

/**
 * Draws a plot as SVG without a browser.
 *
 * @throws {Error} If vega cannot be fetched.
 */
export async function renderPlot(spec: PlotSpec, width: number, height: number): Promise<Html> {
  const [vega, lite] = await loadVega();
  const whole = { width, height, autosize: { type: "fit", contains: "padding" }, config: CONFIG, ...spec };
  const svg = await new vega.View(vega.parse(lite.compile(whole).spec), { renderer: "none" }).toSVG();
  // Vega escapes the text that it draws.
  return new Html(compactSvg(svg).replace("<svg ", '<svg role="img" '));
}

let loaded: Promise<[Vega, VegaLite]> | undefined;

/**
 * Loads what draws plots, from npm on first use.
 *
 * @throws {Error} If it cannot be fetched.
 */
export function loadVega(): Promise<[Vega, VegaLite]> {
  const named = (name: string) => process.versions.bun ? name.split("@")[0] : `npm:${name}`;
  return loaded ??= Promise.all([import(named(VEGA)), import(named(VEGA_LITE))]).catch((error) => {
    loaded = undefined;
    throw new Error(
      `Cannot draw plots: ${VEGA} and ${VEGA_LITE} could not be fetched from npm: ${
        (error as Error).message
      }`,
      { cause: error },
    );
  }) as Promise<[Vega, VegaLite]>;
}
