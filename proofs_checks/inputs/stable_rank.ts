import type { AttentionInput, InputFamily, InputOptions } from "./family.ts";
import { InputDraw, Stream } from "./input_draw.ts";
import { scaleRows, setRow } from "./vectors.ts";

/** Every query weighs all keys alike. */
export const uniformSoftmax: InputFamily = {
  name: "uniform-softmax",
  description:
    "All keys zero: every row of the softmax matrix is 1/n, its stable rank is 1, and the guarantee holds with few samples.",
  generate(options: InputOptions): AttentionInput {
    const draw = new InputDraw("uniform-softmax", options);
    return draw.input(draw.normalQueries(), new Float32Array(draw.keys * draw.features));
  },
};

/** All rows of the softmax matrix are one. */
export const equalQueries: InputFamily = {
  name: "equal-queries",
  description:
    "One normal query repeated: the softmax matrix has rank 1 and the guarantee holds with few samples, but ties in the " +
    "hash scatter the queries over blocks.",
  generate(options: InputOptions): AttentionInput {
    const draw = new InputDraw("equal-queries", options);
    const row = draw.normals(Stream.query, draw.features);
    const query = Float32Array.from(
      { length: draw.queries * draw.features },
      (_, at) => row[at % draw.features],
    );
    return draw.input(query, draw.normalKeys());
  },
};

/** Options of {@link lowRank}. */
export interface LowRankOptions {
  /** Dimension of the common subspace, 4 by default. */
  readonly rank?: number;
}

/** Queries and keys in one random subspace of few dimensions. */
export const lowRank: InputFamily<LowRankOptions> = {
  name: "low-rank",
  description:
    "Queries and keys in a common subspace of 4 dimensions with logits of variance about 1: the softmax matrix is " +
    "smooth in few variables, its stable rank small, and the guarantee holds with few samples.",
  generate({ rank = 4, ...options }: InputOptions & LowRankOptions): AttentionInput {
    const draw = new InputDraw("low-rank", options);
    const { queries, keys, features } = draw;
    draw.check(Number.isInteger(rank) && rank >= 1, "rank must be a positive integer", rank);
    draw.check(features >= rank, `features must be at least the rank ${rank}`, features);
    // Rows of this are nearly orthonormal, so coordinates x and y give logits of nearly x·y / √rank.
    const basis = draw.normals(Stream.centres, rank * features, 1 / Math.sqrt(features));
    const factor = (features / rank) ** 0.25;
    const query = spread(draw.normals(Stream.query, queries * rank, factor), basis, rank, features);
    const key = spread(draw.normals(Stream.key, keys * rank, factor), basis, rank, features);
    return draw.input(query, key);
  },
};

/** Points of the subspace from their coordinates. */
function spread(
  coordinates: Float32Array,
  basis: Float32Array,
  rank: number,
  features: number,
): Float32Array {
  const rows = new Float32Array(coordinates.length / rank * features);
  for (let i = 0; i < rows.length / features; i++) {
    for (let t = 0; t < features; t++) {
      let sum = 0;
      for (let r = 0; r < rank; r++) sum += coordinates[i * rank + r] * basis[r * features + t];
      rows[i * features + t] = sum;
    }
  }
  return rows;
}

/**
 * Every query looks to one key of its own.
 *
 * With L = c²/√d = 3 ln n, the expected weight of the other keys relative to the own one is at most
 * n·E e^{L(cos − 1)} <= n·e^{L²/2d − L}, cosines of random directions being sub-Gaussian with variance 1/d; that is at
 * most 1/n once d >= 4.5 ln n.
 */
export const permutationSoftmax: InputFamily = {
  name: "permutation-softmax",
  description:
    "Queries equal to the keys, random directions of squared length 3 ln n · √d: the softmax matrix is nearly the " +
    "identity, its stable rank is n, and the guarantee allows no gain from sampling although blocks may find each key.",
  generate(options: InputOptions): AttentionInput {
    const draw = new InputDraw("permutation-softmax", options);
    const { queries, keys, features } = draw;
    const logarithm = Math.log(keys);
    draw.check(
      features >= 4.5 * logarithm,
      `features must be at least 4.5 ln n, ${Math.ceil(4.5 * logarithm)}`,
      features,
    );
    const key = scaleRows(draw.normalKeys(), features, Math.sqrt(3 * logarithm / draw.scale));
    const query = new Float32Array(queries * features);
    for (let i = 0; i < queries; i++) {
      const j = i % keys;
      setRow(query, i, key.subarray(j * features, (j + 1) * features), 1);
    }
    return draw.input(query, key);
  },
};
