import type { AttentionInput, InputFamily, InputOptions } from "./family.ts";
import { InputDraw, Stream } from "./input_draw.ts";
import { addToRow, removeDirection, setRow, unitVector } from "./vectors.ts";

/** Options of {@link duplicatedKeys}. */
export interface DuplicatedKeysOptions {
  /** Least number of copies of each key, as long as there are so many keys; 256 by default, four default buckets. */
  readonly copies?: number;
}

/** Few different keys, each many times over with values of its own. */
export const duplicatedKeys: InputFamily<DuplicatedKeysOptions> = {
  name: "duplicated-keys",
  description:
    "Each key in at least 256 copies with independent values, scattered at random: buckets overflow, so blocks split " +
    "copies that weigh the same, residuals of the key Gram matrix vanish, and the guarantee holds all the same.",
  generate({ copies = 256, ...options }: InputOptions & DuplicatedKeysOptions): AttentionInput {
    const draw = new InputDraw("duplicated-keys", options);
    const { keys, features } = draw;
    draw.check(Number.isInteger(copies) && copies >= 1, "copies must be a positive integer", copies);
    const distinct = Math.max(1, Math.floor(keys / copies));
    const originals = draw.normals(Stream.key, distinct * features);
    const key = new Float32Array(keys * features);
    draw.random(Stream.order).distinct(keys, keys).forEach((place, at) => {
      const original = (at % distinct) * features;
      setRow(key, place, originals.subarray(original, original + features), 1);
    });
    return draw.input(draw.normalQueries(), key);
  },
};

/** Options of {@link commonKeyOffset}. */
export interface CommonKeyOffsetOptions {
  /** Length of the vector added to every key, 1,000 by default. */
  readonly offset?: number;
}

/** Keys and offset lie on this grid, fine enough for keys and coarse enough for their sum to be exact in f32. */
const GRID = 2 ** -10;

/** All keys moved by one long vector, without rounding. */
export const commonKeyOffset: InputFamily<CommonKeyOffsetOptions> = {
  name: "common-key-offset",
  description:
    "Gaussian keys all moved by one vector of length 1,000: the softmax matrix is exactly that of the keys before the " +
    "move, so the result must not change beyond rounding, nor overflow.",
  generate({ offset = 1000, ...options }: InputOptions & CommonKeyOffsetOptions): AttentionInput {
    const draw = new InputDraw("common-key-offset", options);
    draw.check(offset >= 0 && offset <= 8000, "offset must be from 0 to 8000", offset);
    const { keys, features } = draw;
    const onGrid = (x: number) => Math.round(x / GRID) * GRID;
    const move = unitVector(draw.normals(Stream.centres, features)).map((x) => onGrid(offset * x));
    const key = draw.normalKeys().map(onGrid);
    for (let j = 0; j < keys; j++) addToRow(key, j, move, 1);
    return draw.input(draw.normalQueries(), key);
  },
};

/** Queries far from all keys in a direction that no key has a part in. */
export const tinyDensity: InputFamily = {
  name: "tiny-density",
  description:
    "Gaussian logits, but every query displaced to either side in a direction orthogonal to all keys, so that its kernel " +
    "density is below n^{−4}: attention is as easy as gaussian while the cost μ^{−τ} of density estimation is not, and " +
    "the certificate decides.",
  generate(options: InputOptions): AttentionInput {
    const draw = new InputDraw("tiny-density", options);
    const { queries, keys, features } = draw;
    const direction = unitVector(draw.normals(Stream.centres, features));
    const query = removeDirection(draw.normalQueries(), direction);
    const key = removeDirection(draw.normalKeys(), direction);
    const sides = draw.random(Stream.order);
    // e^{−scale·length²/2} = n^{−4}; on either side, because a common displacement could be subtracted.
    const length = Math.sqrt(8 * Math.log(keys) / draw.scale);
    for (let i = 0; i < queries; i++) addToRow(query, i, direction, sides.integer(2) ? length : -length);
    return draw.input(query, key);
  },
};
