import { scatteredPlaces } from "../linear_algebra/scattered_places.ts";
import { checkRows } from "./check_target.ts";
import type { KernelRows } from "./kernel_rows.ts";
import type { KernelName } from "./kernels.ts";
import { squaredNorms } from "./log_domain.ts";

/** Rows that the centre is found from: enough that half of them do not lie far out by chance. */
const CENTRE_ROWS = 255;

/** Where the points lie, for inner products. */
interface Middle {
  readonly centre: Float64Array;
  /** The points about it, in bandwidths. */
  readonly rows: Float32Array;
  /** Length of the longest of these. */
  readonly longest: number;
}

/**
 * Points as estimators need them. Kernel values come from differences of the values as given, which cancel nothing; all that is done
 * to these is to divide them by a power of two, so that squares stay in range whatever the bandwidth. Hashes come from
 * inner products, which lose what all points have in common: for them there is a copy about the points' middle.
 */
export class CentredPoints implements KernelRows {
  /** [count, features]: the points over the power of two. */
  readonly data: Float32Array;
  readonly count: number;
  readonly features: number;
  /** That of `data`, from 1 to 2. */
  readonly bandwidth: number;
  readonly kernel: KernelName;
  readonly logWeights?: Float64Array;
  readonly #unit: number;
  readonly #userBandwidth: number;
  #centred?: Middle;

  /** @param logWeights As of {@link KernelRows}. */
  constructor(
    points: Float32Array,
    features: number,
    bandwidth = 1,
    kernel: KernelName = "gaussian",
    logWeights?: Float64Array,
  ) {
    this.count = checkRows("points", points, features, bandwidth);
    this.features = features;
    this.#userBandwidth = bandwidth;
    this.#unit = 2 ** Math.floor(Math.log2(bandwidth));
    this.bandwidth = bandwidth / this.#unit;
    this.data = this.#scale(points);
    this.kernel = kernel;
    this.logWeights = logWeights;
  }

  /** Checks queries [queries, features] and brings them to the scale of `data`. */
  place(queries: Float32Array): Float32Array {
    checkRows("queries", queries, this.features, this.#userBandwidth);
    return this.#scale(queries);
  }

  /** [count, features]: the points about their middle, in bandwidths, for inner products. */
  get centred(): Float32Array {
    return this.#middle().rows;
  }

  /** Largest distance of a point or a placed query from the middle of the points, in bandwidths. */
  farthest(placed: Float32Array): number {
    return Math.max(this.#middle().longest, longestRow(this.centre(placed), this.features));
  }

  /** Placed queries about the middle of the points, in bandwidths. */
  centre(placed: Float32Array): Float32Array {
    return this.#about(placed, this.#middle().centre);
  }

  #middle(): Middle {
    if (!this.#centred) {
      const centre = medianRow(this.data, this.features), rows = this.#about(this.data, centre);
      this.#centred = { centre, rows, longest: longestRow(rows, this.features) };
    }
    return this.#centred;
  }

  #about(rows: Float32Array, centre: Float64Array): Float32Array {
    const { bandwidth, features } = this;
    return rows.map((value, at) => (value - centre[at % features]) / bandwidth);
  }

  /** Exact, but for values that are nothing beside the bandwidth. */
  #scale(rows: Float32Array): Float32Array {
    const unit = this.#unit;
    return unit === 1 ? rows : rows.map((value) => value / unit);
  }
}

/** Median of each column over some rows: unlike a mean, it stays among the points when a few lie far out. */
export function medianRow(rows: Float32Array, features: number): Float64Array {
  const picks = scatteredPlaces(rows.length / features, CENTRE_ROWS), middle = (picks.length - 1) >> 1;
  return Float64Array.from(
    { length: features },
    (_, column) => Float32Array.from(picks, (row) => rows[row * features + column]).sort()[middle],
  );
}

function longestRow(rows: Float32Array, features: number): number {
  return Math.sqrt(squaredNorms(rows, features).reduce((a, b) => Math.max(a, b), 0));
}

/** Mean of rows in float64, as first row + mean difference from it. */
export function rowMean(rows: Float32Array, features: number): Float64Array {
  const count = rows.length / features, mean = new Float64Array(features);
  for (let at = 0; at < rows.length; at++) mean[at % features] += rows[at] - rows[at % features];
  return mean.map((sum, column) => rows[column] + sum / count);
}

/** Rows minus one row. */
export function subtractRow(rows: Float32Array, row: Float64Array): Float32Array {
  const width = row.length;
  return rows.map((value, at) => value - row[at % width]);
}
