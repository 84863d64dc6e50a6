import type { Problem } from "../../core/problem.ts";
import { ofHead } from "../../core/of_head.ts";
import { pickRows } from "../../linear_algebra/pick_rows.ts";
import { rowProducts } from "../../linear_algebra/row_products.ts";
import { scatteredPlaces } from "../../linear_algebra/scattered_places.ts";

/** Softmax rows that are compared, and keys that they are looked at on. */
const ROWS = 16, KEYS = 1024;

/**
 * Where rows overlap less, a tree with lists of so many entries errs less than a coreset with the same budget: so it is on pretrained heads with 0.06 to 0.17 and one
 * with 0.24, and not on those with 0.3 and more. Shorter lists need less overlap: with 70 entries the tree errs three times as much on the head with 0.24, with 60 half as much
 * again on one with 0.1, with 40 as much on one with 0.08; clusters with 0.01 are worth it even then (`docs/experiments.md`).
 */
const SHARP = 0.25, SHARP_ENTRIES = 115, SHARP_POWER = 1.5;

/** Where a tree is no more precise it takes several times as long: what may try a coreset at little cost believes smaller overlaps alone. */
export const VERY_SHARP = 0.19;

/** The overlap below which a tree with lists of so many entries takes the place of a coreset. */
export function sharpBelow(entries: number): number {
  return SHARP * Math.min(1, entries / SHARP_ENTRIES) ** SHARP_POWER;
}

/**
 * How much the softmax rows of a head's queries lie on the same keys: the mean of ⟨p, p′⟩/(‖p‖‖p′‖) over pairs of some of them, on some of the keys. Near 1 every query
 * looks to the same keys, and a few points stand for them; near 0 each looks to keys of its own, which have to be found.
 */
export function rowOverlap(
  { heads, query, key, queries, keys, features, scale }: Problem,
  head: number,
): number {
  const sample = (rows: Float32Array, count: number, wanted: number) =>
    Float64Array.from(pickRows(ofHead(rows, head, heads), features, scatteredPlaces(count, wanted)));
  const logits = rowProducts(sample(query, queries, ROWS), sample(key, keys, KEYS), features);
  const rows = Math.min(ROWS, queries), width = logits.length / rows;
  for (let row = 0; row < rows; row++) normalise(logits.subarray(row * width, (row + 1) * width), scale);
  const products = rowProducts(logits, logits, width);
  let sum = 0;
  for (let row = 0; row < rows; row++) {
    for (let other = 0; other < row; other++) sum += products[row * rows + other];
  }
  return rows > 1 ? sum / (rows * (rows - 1) / 2) : 1;
}

/** Multiply-adds that it takes. */
export function costOfOverlap({ queries, keys, features }: Problem): number {
  return Math.min(ROWS, queries) * Math.min(KEYS, keys) * features;
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
