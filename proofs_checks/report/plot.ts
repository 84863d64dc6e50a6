import { type PlotSpec, SERIES_COLOURS } from "./render.ts";

/** A plot of the page. */
export interface Plot {
  readonly title: string;
  /** What is to be seen, for readers and for those who cannot see it. */
  readonly caption: string;
  readonly spec: (narrow: boolean) => PlotSpec;
  /** Height over width on a wide page and on a narrow one. */
  readonly aspect?: readonly [number, number];
}

const DECADES = Array.from({ length: 13 }, (_, at) => 10 ** (at - 8));

/** A logarithmic axis. */
export const log = (field: string, title: string, extra: object = {}): object => ({
  field,
  type: "quantitative",
  scale: { type: "log", nice: false },
  axis: { title, format: "~g", values: [...DECADES, ...DECADES.map((x) => 3 * x)], ...extra },
});

/** One colour a series; two names seldom fit beside each other on a phone. */
export const colour = (field: string, narrow: boolean, title: string | null = null): object => ({
  field,
  type: "nominal",
  scale: { range: SERIES_COLOURS },
  legend: { title, columns: narrow ? 1 : 6 },
});
