import { type DeviceArray, NO_ROW } from "../backend.ts";
import type { Inputs } from "./inputs.ts";
import { type KnownAnswer, knownAnswer, type KnownAnswers, type Size } from "./known_answer.ts";

/** Columns of a sketch, directions of inner products, and rows whose distance a query asks for. */
const FOLDED = 4, DIRECTIONS = 3, PICKS = 5;

function rowsOf(inputs: Inputs, { heads, keys, features }: Size) {
  return { heads, count: keys, width: features, rows: inputs.floats(heads * keys * features) };
}

const alone = (result: DeviceArray) => [result];

/** What moves and measures rows. */
export const rowAnswers = {
  columnMean: [knownAnswer("columnMean", rowsOf, alone)],
  centreRows: [
    knownAnswer(
      "centreRows",
      (inputs, size) => ({
        ...rowsOf(inputs, size),
        centre: inputs.floats(size.heads * size.features),
      }),
      alone,
    ),
  ],
  gatherRows: [
    knownAnswer(
      "gatherRows",
      (inputs, size) => ({
        ...rowsOf(inputs, size),
        index: inputs.words(size.heads * size.queries, size.keys),
        picks: size.queries,
      }),
      alone,
    ),
  ],
  sketchRows: [
    knownAnswer(
      "sketchRows",
      (inputs, size) => {
        const columns = FOLDED * Math.ceil(size.features / FOLDED);
        return {
          ...rowsOf(inputs, size),
          signs: inputs.upload(inputs.values(columns).map(Math.sign)),
          folded: FOLDED,
        };
      },
      alone,
    ),
  ],
  // One direction a head has a kernel of its own.
  innerProducts: [productsOf(DIRECTIONS), productsOf(1)],
  gatheredDistances: [
    knownAnswer(
      "gatheredDistances",
      (inputs, size) => {
        const { heads, queries, keys, features } = size;
        const index = Uint32Array.from(
          { length: heads * queries * PICKS },
          (_, at) => at % 7 === 3 ? NO_ROW : inputs.integer(keys),
        );
        return {
          ...rowsOf(inputs, size),
          query: inputs.floats(heads * queries * features),
          index: inputs.upload(index),
          queries,
          picks: PICKS,
        };
      },
      alone,
    ),
  ],
} satisfies KnownAnswers<
  "columnMean" | "centreRows" | "gatherRows" | "sketchRows" | "innerProducts" | "gatheredDistances"
>;

function productsOf(projections: number): KnownAnswer<"innerProducts"> {
  return knownAnswer(
    "innerProducts",
    (inputs, size) => ({
      ...rowsOf(inputs, size),
      directions: inputs.floats(size.heads * projections * size.features),
      projections,
    }),
    alone,
  );
}
