import type { Problem } from "../../core/problem.ts";
import { ofHead } from "../../core/of_head.ts";
import { pickRows } from "../../linear_algebra/pick_rows.ts";
import { rowProducts } from "../../linear_algebra/row_products.ts";
import { scatteredPlaces } from "../../linear_algebra/scattered_places.ts";

/** Softmax rows that are compared, and keys that they are looked at on. */
const ROWS = 16, KEYS = 1024;
/** Heaviest keys of a row of which a cluster is told, how many it has at least, and how near they lie: clusters have 17 and 0.8, and nothing else both. */
const HEAVY = 64, CLUSTER_KEYS = 8, TOGETHER = 0.5;

/**
 * Where rows overlap less, a tree with lists of so many entries errs less than a coreset with the same budget: so it is on pretrained heads with 0.06 to 0.17 and one
 * with 0.24, and not on those with 0.3 and more. Shorter lists need less overlap, but from 28 entries on they err half as much on the sharpest head, and
 * up to a third more on another with hardly more overlap, 0.10; with 14 entries nine times as much (`docs/experiments.md`).
 */
const SHARP = 0.25, SHARP_ENTRIES = 115, SHARP_POWER = 1.5, SHORT = { entries: 28, overlap: 0.11 } as const;

/** Where a tree is no more precise it takes several times as long: what may try a coreset at little cost believes smaller overlaps alone. */
export const VERY_SHARP = 0.19;

/** The overlap below which a tree with lists of so many entries takes the place of a coreset. */
export function sharpBelow(entries: number): number {
  const long = SHARP * Math.min(1, entries / SHARP_ENTRIES) ** SHARP_POWER;
  return entries < SHORT.entries ? 0 : Math.max(SHORT.overlap, long);
}

/** Softmax rows of some queries of a head on some of its keys. */
export class SampledRows {
  readonly #key: Float64Array;
  readonly #features: number;
  readonly #rows: number;
  /** [rows, keys]: of norm 1. */
  readonly #weights: Float64Array;

  constructor({ heads, query, key, queries, keys, features, scale }: Problem, head: number) {
    const sample = (rows: Float32Array, count: number, wanted: number) =>
      Float64Array.from(pickRows(ofHead(rows, head, heads), features, scatteredPlaces(count, wanted)));
    this.#key = sample(key, keys, KEYS);
    this.#features = features;
    this.#rows = Math.min(ROWS, queries);
    this.#weights = rowProducts(sample(query, queries, ROWS), this.#key, features);
    for (let row = 0; row < this.#rows; row++) normalise(this.#row(row), scale);
  }

  /**
   * How much rows lie on the same keys: the mean of ⟨p, p′⟩/(‖p‖‖p′‖) over pairs. Near 1 every query looks to the same keys, and a few points stand for
   * them; near 0 each looks to keys of its own, which have to be found.
   */
  overlap(): number {
    const rows = this.#rows,
      products = rowProducts(this.#weights, this.#weights, this.#weights.length / rows);
    let sum = 0;
    for (let row = 0; row < rows; row++) {
      for (let other = 0; other < row; other++) sum += products[row * rows + other];
    }
    return rows > 1 ? sum / (rows * (rows - 1) / 2) : 1;
  }

  /**
   * Whether the median row looks to several keys that lie together: of its heaviest keys, less the mean of all, ‖Σ p k‖²/Σ p ‖k‖² is at least a half, and 1/Σ p²
   * eight or more of the sampled ones. Few heavy keys, far apart or long, are no cluster.
   */
  looksToClusters(): boolean {
    const mean = new Float64Array(this.#features), keys = this.#key.length / this.#features;
    this.#key.forEach((x, at) => mean[at % this.#features] += x / keys);
    let clusters = 0;
    for (let row = 0; row < this.#rows; row++) if (this.#looksToCluster(this.#row(row), mean)) clusters++;
    return 2 * clusters > this.#rows;
  }

  #looksToCluster(weights: Float64Array, mean: Float64Array): boolean {
    const order = Uint32Array.from(weights.keys()).sort((a, b) => weights[b] - weights[a]).subarray(0, HEAVY);
    const width = this.#features, middle = new Float64Array(width);
    let total = 0, squares = 0, spread = 0;
    for (const at of order) {
      const weight = weights[at];
      total += weight;
      squares += weight ** 2;
      for (let c = 0; c < width; c++) {
        const x = this.#key[at * width + c] - mean[c];
        middle[c] += weight * x;
        spread += weight * x * x;
      }
    }
    const together = middle.reduce((sum, x) => sum + x * x, 0) / (total * spread);
    return total ** 2 / squares >= CLUSTER_KEYS && together >= TOGETHER;
  }

  #row(row: number): Float64Array {
    const width = this.#weights.length / this.#rows;
    return this.#weights.subarray(row * width, (row + 1) * width);
  }
}

/** {@link SampledRows.overlap} of a head. */
export function rowOverlap(problem: Problem, head: number): number {
  return new SampledRows(problem, head).overlap();
}

/** Multiply-adds that it takes. */
export function costOfOverlap({ queries, keys, features }: Problem): number {
  return Math.min(ROWS, queries) * Math.min(KEYS, keys) * features;
}

/** Multiply-adds that it takes to look for clusters besides. */
export function costOfClusters({ queries, keys, features }: Problem): number {
  return Math.min(ROWS, queries) * Math.min(HEAVY, keys) * features;
}

/** Exponentials of the scaled logits of a row, of norm 1. */
function normalise(row: Float64Array, scale: number): void {
  const largest = row.reduce((most, x) => Math.max(most, scale * x), -Infinity);
  let square = 0;
  for (let at = 0; at < row.length; at++) {
    row[at] = Math.exp(scale * row[at] - largest);
    square += row[at] ** 2;
  }
  const factor = 1 / Math.sqrt(square);
  for (let at = 0; at < row.length; at++) row[at] *= factor;
}
