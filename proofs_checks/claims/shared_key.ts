import type { AttentionInput, InputFamily, InputOptions } from "../inputs/family.ts";
import { InputDraw, Stream } from "../inputs/input_draw.ts";
import { addToRow, removeDirection, scaleRows, setRow, unitVector } from "../inputs/vectors.ts";

/** Options of {@link sharedKey}. */
export interface SharedKeyOptions {
  /** Shares of the queries, 1 together, and the weight above 0 and below 1 that each of them gives the key. */
  readonly levels?: readonly (readonly [share: number, weight: number])[];
  /** Whether the rest of a query's weight lies on a key of its own, not on all alike. */
  readonly own?: boolean;
}

/**
 * One key to which queries give weights as they are asked to. What they leave lies evenly on all keys, which are zero, or on one key for each
 * query as in `permutation-softmax`, so that the softmax matrix is known: a column of weights beside 1/n or the identity.
 */
export const sharedKey: InputFamily<SharedKeyOptions> = {
  name: "shared-key",
  description:
    "One key that every query gives a twelfth of its weight, the rest lying on a key of its own: the identity and a " +
    "column, whose norm is found on few rows where these are taken for all.",
  generate(
    { levels = [[1, 0.08]], own = true, ...options }: InputOptions & SharedKeyOptions,
  ): AttentionInput {
    const draw = new InputDraw("shared-key", options), { queries, keys, features, scale } = draw;
    const logarithm = Math.log(keys), direction = unitVector(draw.normals(Stream.centres, features));
    // Of a permutation the own logit, e^… of which the others do not come near; else that of all keys together.
    const rest = own ? 3 * logarithm : logarithm;
    draw.check(
      !own || features >= 4.5 * logarithm + 1,
      `features must be more than 4.5 ln n, ${Math.ceil(4.5 * logarithm + 1)}`,
      features,
    );
    const key = own
      ? scaleRows(removeDirection(draw.normalKeys(), direction), features, Math.sqrt(rest / scale))
      : new Float32Array(keys * features);
    const query = new Float32Array(queries * features), place = draw.random(Stream.order);
    const logits = levels.map(([, weight]) => rest + Math.log(weight / (1 - weight)));
    const length = Math.sqrt(Math.max(...logits.map(Math.abs), 1) / scale);
    const order = place.distinct(queries, queries);
    order.forEach((row, at) => {
      let level = 0;
      for (let share = levels[0][0]; level + 1 < levels.length && at >= share * queries;) {
        share += levels[++level][0];
      }
      const j = row % keys;
      if (own) setRow(query, row, key.subarray(j * features, (j + 1) * features), 1);
      addToRow(query, row, direction, logits[level] / scale / length);
    });
    setRow(key, place.integer(keys), direction, length);
    return draw.input(query, key);
  },
};
