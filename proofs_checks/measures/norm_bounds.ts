import { encloseEigenvalue } from "../../estimators/linear_algebra/enclose_eigenvalue.ts";
import { gramImages, type MatrixRows } from "../../estimators/linear_algebra/gram_images.ts";
import { squaredLength } from "../../estimators/linear_algebra/lower_operator_norm.ts";
import { Purpose, RandomStream } from "../../kernels/random.ts";

/** Between which numbers a norm lies. */
export interface NormBounds {
  /** Attained by a vector, but for rounding in float64. */
  readonly lower: number;
  /** Not exceeded, but for rounding and a chance of {@link CHANCE}. */
  readonly upper: number;
}

/** How close the bounds are to be, and what is known. */
export interface NormBoundsSettings {
  /** Whether no entry is negative: bounds then meet, and hold without chance. */
  readonly nonNegative?: boolean;
  /** Upper over lower bound, less 1, that is close enough: 0.05, or for entries that are not negative 0.001. Infinity for the lower bound alone. */
  readonly tolerance?: number;
  /** Vectors that go through the rows together: one where rows lie in memory, more where each must be computed. */
  readonly together?: number;
}

/** Probability, over the start, that an upper bound is too small. */
const CHANCE = 1e-9;
/** Residual of the leading pair, relative to its value, at which the lower bound is final. */
const SETTLED = 1e-6;
/** Passes over the rows. */
const MOST_STEPS = 100, MOST_RATIOS = 60;

/**
 * Bounds on the largest singular value of a matrix in float64, by block Lanczos iteration on AᵀA from a random vector that is always the same
 * one for a width. Only rows are looked at, in order, so that neither AᵀA nor A is needed: where rows are computed when they are asked for,
 * memory is that of some vectors. An error divided by the lower bound is overstated, never understated.
 *
 * @example The error of a softmax matrix P~ that approximates P:
 * ```ts
 * import { normBounds } from "./norm_bounds.ts";
 * const exact = [0.5, 0.5, 0.25, 0.75], found = [0.5, 0.5, 0.5, 0.5];
 * const row = (i: number) => Float64Array.from({ length: 2 }, (_, j) => found[2 * i + j] - exact[2 * i + j]);
 * console.log(normBounds({ rows: 2, columns: 2, row }).lower); // √(2/16) = 0.353…
 * ```
 */
export function normBounds(matrix: MatrixRows, settings: NormBoundsSettings = {}): NormBounds {
  const { nonNegative = false, together = 1, tolerance = nonNegative ? 1e-3 : 0.05 } = settings;
  const { trace, evenImage } = firstLook(matrix, nonNegative);
  if (trace === 0) return { lower: 0, upper: 0 };
  const search = encloseEigenvalue({
    length: matrix.columns,
    trace,
    random: new RandomStream(matrix.columns, Purpose.singularVector),
    starts: together,
    // AᵀA 1 rather than 1: a step of the iteration for nothing.
    alsoFrom: evenImage,
    above: evenImage?.reduce((a, b) => Math.max(a, b), 0),
    nonNegative,
    tolerance: (1 + tolerance) ** 2 - 1,
    pairs: 1,
    settled: SETTLED,
    mostSteps: MOST_STEPS,
    mostRatios: MOST_RATIOS,
    chance: CHANCE,
  });
  let next = search.next();
  while (!next.done) next = search.next(gramImages(matrix, next.value));
  const { lower, upper } = next.value;
  return { lower: Math.sqrt(Math.max(0, lower)), upper: Math.sqrt(Math.max(0, upper)) };
}

/** The trace of AᵀA, and for entries that are not negative AᵀA 1, in one pass. */
function firstLook(matrix: MatrixRows, nonNegative: boolean): { trace: number; evenImage?: Float64Array } {
  const { rows, columns } = matrix, evenImage = new Float64Array(columns);
  let trace = 0;
  for (let i = 0; i < rows; i++) {
    const row = matrix.row(i);
    trace += squaredLength(row);
    if (!nonNegative) continue;
    let sum = 0;
    for (let c = 0; c < columns; c++) sum += row[c];
    for (let c = 0; c < columns; c++) evenImage[c] += sum * row[c];
  }
  return nonNegative ? { trace, evenImage } : { trace };
}
