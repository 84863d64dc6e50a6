import { lowerOperatorNorm } from "../linear_algebra/lower_operator_norm.ts";

/**
 * Some rows of the errors and of the exact outputs of a head, each times the root of how many rows it stands for: Σ e eᵀ over them is
 * then about EᵀE, and no more is needed of E for its norms.
 */
export interface ErrorSample {
  readonly width: number;
  /** [rows, width] */
  readonly errors: Float64Array;
  /** [rows, width] */
  readonly outputs: Float64Array;
}

/** An estimate with an interval of about 95 per cent. */
export interface Estimate {
  readonly error: number;
  readonly low: number;
  readonly high: number;
}

/** Of the standard normal distribution, for 95 per cent on both sides. */
const QUANTILE = 1.96;

/**
 * ‖Att~ − Att‖ / ‖Att‖ in operator norm, from a sample of rows. The largest eigenvalue of a sample's EᵀE is on average no less than that of
 * all rows: its eigenvector was fitted to them. What either half of the rows has along the leading eigenvector of the other is on average no more. Their
 * mean stands for the eigenvalue of all rows; where few rows err much, the one is far too large and the other far too small.
 * The interval goes from below the latter to above the former, by the delta method for the logarithm of the ratio: by first-order perturbation
 * both eigenvalues are means of squared components along their eigenvectors. It knows nothing of rows with large errors of which the sample has none.
 */
export function operatorError({ width, errors, outputs }: ErrorSample): Estimate {
  const along = squaresAlong(errors, width), own = squaresAlong(outputs, width);
  const fitted = sum(along), outputSum = sum(own);
  if (fitted === 0) return { error: 0, low: 0, high: 0 };
  if (outputSum === 0) return { error: Infinity, low: Infinity, high: Infinity };
  const crossed = errors.length === width ? fitted : Math.min(fitted, crossedSum(errors, width));
  const half = QUANTILE / 2 * Math.sqrt(relativeVariance(along, fitted) + relativeVariance(own, outputSum));
  const rootOf = (eigenvalue: number) => Math.sqrt(eigenvalue / outputSum);
  return {
    error: rootOf((fitted + crossed) / 2),
    low: rootOf(crossed) * Math.exp(-half),
    high: rootOf(fitted) * Math.exp(half),
  };
}

/** Of a sum of independent terms, over its square. */
function relativeVariance(terms: Float64Array, total: number): number {
  return terms.reduce((variance, x) => variance + (x / total - 1 / terms.length) ** 2, 0);
}

/** The squares of the components of rows along their leading direction. */
function squaresAlong(rows: Float64Array, width: number): Float64Array {
  return componentsAlong(rows, width, lowerOperatorNorm(rows, rows.length / width, width).direction);
}

function componentsAlong(rows: Float64Array, width: number, direction: Float64Array): Float64Array {
  return Float64Array.from({ length: rows.length / width }, (_, row) => {
    let product = 0;
    for (let c = 0; c < width; c++) product += rows[row * width + c] * direction[c];
    return product ** 2;
  });
}

/** Σ of the squares of the rows of either half along the leading direction of the other. */
function crossedSum(rows: Float64Array, width: number): number {
  const count = rows.length / width;
  const halves = [0, 1].map((parity) => {
    const half = new Float64Array(Math.ceil((count - parity) / 2) * width);
    for (let row = parity, to = 0; row < count; row += 2, to += width) {
      half.set(rows.subarray(row * width, (row + 1) * width), to);
    }
    return half;
  });
  return halves.reduce((total, half, at) => {
    const other = halves[1 - at];
    const { direction } = lowerOperatorNorm(other, other.length / width, width);
    return total + sum(componentsAlong(half, width, direction));
  }, 0);
}

function sum(values: Float64Array): number {
  return values.reduce((total, x) => total + x, 0);
}
