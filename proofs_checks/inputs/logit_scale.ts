import type { AttentionInput, InputFamily, InputOptions } from "./family.ts";
import { InputDraw, Stream } from "./input_draw.ts";
import { scaleRows, setRow } from "./vectors.ts";

/** Rows that follow Student's t distribution: some are many times longer than the rest. */
export const heavyTailed: InputFamily = {
  name: "heavy-tailed",
  description:
    "Rows of queries, keys and values from Student's t distribution with 3 degrees of freedom: variance 1 but lengths " +
    "with a power-law tail, so a few long rows decide both norms, and the guarantee holds if sampling follows them.",
  generate(options: InputOptions): AttentionInput {
    const draw = new InputDraw("heavy-tailed", options);
    const query = studentRows(draw, draw.normalQueries(), draw.features, Stream.queryClusters);
    const key = studentRows(draw, draw.normalKeys(), draw.features, Stream.keyClusters);
    const value = studentRows(draw, draw.normalValues(), draw.valueFeatures, Stream.valueCentres);
    return draw.input(query, key, value);
  },
};

/** Divides each normal row by an independent χ₃: √3 times smaller than Student's t, hence of variance 1. */
function studentRows(draw: InputDraw, rows: Float32Array, width: number, stream: Stream): Float32Array {
  const parts = draw.normals(stream, 3 * rows.length / width);
  for (let at = 0; at < rows.length; at++) {
    const part = 3 * Math.floor(at / width);
    rows[at] /= Math.hypot(parts[part], parts[part + 1], parts[part + 2]);
  }
  return rows;
}

/** Options of {@link lognormalLogits}. */
export interface LognormalLogitsOptions {
  /** Standard deviation of the logits, 2 by default. */
  readonly sigma?: number;
}

/** Queries of equal length and normal keys: the exponentials in each row are independent lognormal variables. */
export const lognormalLogits: InputFamily<LognormalLogitsOptions> = {
  name: "lognormal-logits",
  description:
    "Logits exactly normal with standard deviation σ within each row: uniform sampling needs about e^{σ²}/ε² keys, " +
    "and from σ ≈ √(2 ln n) on single keys dominate, so the cost of the guarantee jumps there.",
  generate({ sigma = 2, ...options }: InputOptions & LognormalLogitsOptions): AttentionInput {
    const draw = new InputDraw("lognormal-logits", options);
    draw.check(Number.isFinite(sigma) && sigma > 0, "sigma must be a positive number", sigma);
    const query = scaleRows(draw.normalQueries(), draw.features, Math.sqrt(draw.features));
    return draw.input(query, draw.normalKeys(sigma));
  },
};

/** Options of {@link hugeLogits}. */
export interface HugeLogitsOptions {
  /** Largest magnitude of a logit, 10,000 by default; reached by query 0. */
  readonly largest?: number;
}

/** Queries and keys so long that bare exponentials overflow even in f64. */
export const hugeLogits: InputFamily<HugeLogitsOptions> = {
  name: "huge-logits",
  description:
    "Random directions with logits up to 10,000, the largest reached: each row is nearly one-hot, bare exponentials " +
    "overflow, and the guarantee holds only if nothing becomes infinite or NaN.",
  generate({ largest = 1e4, ...options }: InputOptions & HugeLogitsOptions): AttentionInput {
    const draw = new InputDraw("huge-logits", options);
    draw.check(largest > 0 && largest < 1e20, "largest must be between 0 and 1e20", largest);
    const { keys, features } = draw;
    const length = Math.sqrt(largest / draw.scale);
    const key = scaleRows(draw.normalKeys(), features, length);
    const query = scaleRows(draw.normalQueries(), features, length);
    setRow(query, 0, key.subarray((keys - 1) * features), 1);
    return draw.input(query, key);
  },
};
