import type { Plot } from "./plot.ts";
import { CELLS, type MatrixPicture } from "./sorted_matrix.ts";

const SHADES = 7;
const CELL_INDICES = Array.from({ length: CELLS }, (_, at) => at);

/** The softmax matrix before and after the sort. */
export function matrixPlot({ cells, blocks, share }: MatrixPicture): Plot {
  // Cells of the lightest shade are the colour of the paper.
  const shown = cells.filter(({ weight }) => weight >= 1 / SHADES).map(({ order, ...cell }) => ({
    ...cell,
    order: order === "before" ? "as they come" : "sorted by hash",
  }));
  return {
    title: "Why blocks work",
    caption:
      `A softmax matrix of clustered inputs, queries down and keys across, before and after both are sorted by the angular hash; stronger is ` +
      `heavier. After the sort, the ${blocks} blocks on the diagonal hold ${
        Math.round(100 * share)
      } % of the weight in ${Math.round(100 / blocks)} % of the pairs.`,
    aspect: [0.55, 1.95],
    spec: (narrow) => ({
      autosize: "pad",
      data: { values: shown },
      facet: {
        field: "order",
        type: "nominal",
        title: null,
        header: { labelColor: "var(--ink)", labelFontSize: 13 },
      },
      columns: narrow ? 1 : 2,
      spec: {
        width: narrow ? 300 : 440,
        height: narrow ? 300 : 440,
        mark: { type: "rect", stroke: null },
        encoding: {
          x: { field: "column", type: "ordinal", axis: null, scale: { domain: CELL_INDICES } },
          y: { field: "row", type: "ordinal", axis: null, scale: { domain: CELL_INDICES } },
          color: {
            field: "weight",
            type: "quantitative",
            scale: {
              type: "quantize",
              domain: [0, 1],
              range: Array.from({ length: SHADES }, (_, at) => `var(--h${at})`),
            },
            legend: null,
          },
        },
      },
    }),
  };
}
