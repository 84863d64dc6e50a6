import type { AttentionInput, InputFamily, InputOptions } from "./family.ts";
import { InputDraw, Stream } from "./input_draw.ts";
import { addToRow, removeDirection, setRow, unitVector } from "./vectors.ts";

/** Logit of the key that nobody looks to: its weight is at most e^{−40} of a typical key's. */
const HIDDEN_LOGIT = -40;
const HUGE = 1e4;

/** A value of enormous norm that never enters the output. */
export const hugeValue: InputFamily = {
  name: "huge-value",
  description:
    "The value of one key is 10,000 times the others and the logit of that key −40 for every query: samples drawn by " +
    "value norms are wasted on it, and the guarantee still holds because it is relative to ‖V‖.",
  generate(options: InputOptions): AttentionInput {
    const draw = new InputDraw("huge-value", options);
    const { queries, keys, features, valueFeatures } = draw;
    const direction = unitVector(draw.normals(Stream.centres, features));
    const query = removeDirection(draw.normalQueries(), direction);
    const key = removeDirection(draw.normalKeys(), direction);
    const value = draw.normalValues();
    const length = Math.sqrt(-HIDDEN_LOGIT / draw.scale);
    const hidden = draw.random(Stream.order).integer(keys);
    for (let i = 0; i < queries; i++) addToRow(query, i, direction, length);
    setRow(key, hidden, direction, -length);
    for (let t = 0; t < valueFeatures; t++) value[hidden * valueFeatures + t] *= HUGE;
    return draw.input(query, key, value);
  },
};

/** All but one of the values are zero. */
export const rareValue: InputFamily = {
  name: "rare-value",
  description:
    "Gaussian queries and keys with every value zero but one: uniform sampling and column norms see nothing special " +
    "about that key, and the guarantee needs samples by value norm.",
  generate(options: InputOptions): AttentionInput {
    const draw = new InputDraw("rare-value", options);
    const value = new Float32Array(draw.keys * draw.valueFeatures);
    const row = draw.normals(Stream.value, draw.valueFeatures);
    setRow(value, draw.random(Stream.order).integer(draw.keys), row, 1);
    return draw.input(draw.normalQueries(), draw.normalKeys(), value);
  },
};

/** Values that cancel in pairs. */
export const alternatingValues: InputFamily = {
  name: "alternating-values",
  description:
    "Keys in equal pairs with opposite values, scattered at random: the exact output is zero, so the guarantee, " +
    "relative to ‖P‖‖V‖, holds while the error relative to the output is unbounded.",
  generate(options: InputOptions): AttentionInput {
    const draw = new InputDraw("alternating-values", options);
    const { keys, features, valueFeatures } = draw;
    const key = draw.normalKeys(), value = draw.normalValues();
    const order = draw.random(Stream.order).distinct(keys, keys);
    for (let at = 0; at + 1 < keys; at += 2) {
      const first = order[at], second = order[at + 1];
      setRow(key, second, key.subarray(first * features, (first + 1) * features), 1);
      setRow(value, second, value.subarray(first * valueFeatures, (first + 1) * valueFeatures), -1);
    }
    if (keys % 2 === 1) setRow(value, order[keys - 1], new Float32Array(valueFeatures), 0);
    return draw.input(draw.normalQueries(), key, value);
  },
};
