import type { AttentionInput, InputFamily, InputOptions } from "./family.ts";
import { InputDraw, Stream } from "./input_draw.ts";
import { addToRow, dotRows, removeDirection, scaleRows, setRow, unitVector } from "./vectors.ts";

/** The heavy key weighs this many times what all others do together, before sampling fluctuations. */
const ODDS = 9;

/** Options of {@link sinkKey}. */
export interface SinkKeyOptions {
  /** Keys that share the weight, 1 by default. */
  readonly sinks?: number;
}

/** One key, at a random place, that all queries look to. */
export const sinkKey: InputFamily<SinkKeyOptions> = {
  name: "sink-key",
  description:
    "One key of ordinary value holds about nine tenths of every query's weight, the rest being as gaussian: the stable " +
    "rank is about 1 and the guarantee holds if sampling follows column norms, while uniform sampling and sampling by " +
    "value norms miss the key.",
  generate({ sinks = 1, ...options }: InputOptions & SinkKeyOptions): AttentionInput {
    const draw = new InputDraw("sink-key", options);
    const { queries, keys, features } = draw;
    draw.check(Number.isInteger(sinks) && sinks >= 1, "sinks must be a positive integer", sinks);
    draw.check(sinks <= keys, `sinks must be at most ${keys}, the number of keys`, sinks);
    const direction = unitVector(draw.normals(Stream.centres, features));
    const query = removeDirection(draw.normalQueries(), direction);
    const key = removeDirection(draw.normalKeys(), direction);
    // Standard normal logits sum to about n·√e.
    const length = Math.sqrt((Math.log(ODDS * keys / sinks) + 0.5) / draw.scale);
    for (let i = 0; i < queries; i++) addToRow(query, i, direction, length);
    for (const row of draw.random(Stream.order).distinct(sinks, keys)) setRow(key, row, direction, length);
    return draw.input(query, key);
  },
};

/** Squared length of a query's noise over the number of features. */
const NOISE = 1;

/** Each query has a heavy key of its own, at an angle that locality-sensitive hashing cuts through. */
export const needle: InputFamily = {
  name: "needle",
  description:
    "A different key for each query holds about nine tenths of its weight over a flat rest, at a wide angle to it: the " +
    "stable rank is of order n, sampling cannot find the needles, and the certificate must refuse unless blocks do.",
  generate(options: InputOptions): AttentionInput {
    const draw = new InputDraw("needle", options);
    const { queries, keys, features } = draw;
    // A query α·(its key) + noise, keys of length √d: the needle's logit is α√d, the other logits have variance
    // α² + NOISE; the smaller root of α√d = ln(ODDS·n) + (α² + NOISE)/2.
    const least = 2 * Math.log(ODDS * keys) + NOISE;
    draw.check(features >= least, `features must be at least 2 ln(9n) + 1, ${Math.ceil(least)}`, features);
    const strength = Math.sqrt(features) - Math.sqrt(features - least);
    const key = scaleRows(draw.normalKeys(), features, Math.sqrt(features));
    const query = draw.normalQueries(Math.sqrt(NOISE));
    const order = draw.random(Stream.order).distinct(keys, keys);
    for (let i = 0; i < queries; i++) {
      const j = order[i % keys], own = key.subarray(j * features, (j + 1) * features);
      const alongNoise = dotRows(query, i, own, 0, features) / features;
      addToRow(query, i, own, strength - alongNoise);
    }
    return draw.input(query, key);
  },
};
