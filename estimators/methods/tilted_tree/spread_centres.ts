import { gramMatrix } from "../../linear_algebra/row_products.ts";

/**
 * Centres of rows from their tree: the node with the largest Σ ‖row − mean‖⁴ is cut, again and again, since errors are of second order in the
 * distance; rows far from all others come to be alone. Centres are the means of the nodes that are left; where all of these are single points there are
 * fewer, and the first stands in for the others.
 *
 * @param rows [count, width], in the order of the tree
 * @param cuts [count, 4]: see `RowTree`
 * @returns [centres, width]
 */
export function spreadCentres(
  rows: Float32Array,
  cuts: Uint32Array,
  width: number,
  centres: number,
): Float64Array {
  const count = rows.length / width;
  const nodes = [nodeOf(rows, width, 0, count, cuts[2])];
  while (nodes.length < centres) {
    const next = nodes.reduce((best, node, at) => node.spread > nodes[best].spread ? at : best, 0);
    const { begin, end, cut, spread } = nodes[next];
    if (!(spread > 0) || cut === 0) break;
    nodes[next] = nodeOf(rows, width, begin, cut, cuts[4 * cut + 2]);
    nodes.push(nodeOf(rows, width, cut, end, cuts[4 * cut + 3]));
  }
  const result = new Float64Array(centres * width);
  for (let at = 0; at < centres; at++) result.set(nodes[at < nodes.length ? at : 0].mean, at * width);
  return result;
}

interface Node {
  readonly begin: number;
  readonly end: number;
  readonly cut: number;
  readonly mean: Float64Array;
  readonly spread: number;
}

function nodeOf(rows: Float32Array, width: number, begin: number, end: number, cut: number): Node {
  const mean = new Float64Array(width);
  for (let at = begin; at < end; at++) for (let c = 0; c < width; c++) mean[c] += rows[at * width + c];
  for (let c = 0; c < width; c++) mean[c] /= end - begin;
  let spread = 0;
  for (let at = begin; at < end; at++) {
    let distance = 0;
    for (let c = 0; c < width; c++) distance += (rows[at * width + c] - mean[c]) ** 2;
    spread += distance ** 2;
  }
  return { begin, end, cut, mean, spread };
}

/** Rows that a centre must have more than to be moved to their mean: it would follow chance. */
const FEW = 3;

/** Moves each centre to the mean of the rows that are nearest to it, in place (Lloyd 1982). */
export function moveCentres(
  centres: Float64Array,
  rows: Float32Array,
  labels: Uint32Array,
  width: number,
): void {
  const sums = new Float64Array(centres.length), sizes = new Uint32Array(centres.length / width);
  for (let row = 0; row < labels.length; row++) {
    const to = labels[row] * width;
    sizes[labels[row]]++;
    for (let c = 0; c < width; c++) sums[to + c] += rows[row * width + c];
  }
  sizes.forEach((size, at) => {
    if (size <= FEW) return;
    for (let c = at * width; c < (at + 1) * width; c++) centres[c] = sums[c] / size;
  });
}

/** Σ (row − centre)(row − centre)ᵀ / rows over the nearest centres: [width, width]. */
export function spreadAbout(
  centres: Float64Array,
  rows: Float32Array,
  labels: Uint32Array,
  width: number,
): Float64Array {
  const count = labels.length, differences = new Float64Array(width * count);
  for (let row = 0; row < count; row++) {
    for (let c = 0; c < width; c++) {
      differences[c * count + row] = rows[row * width + c] - centres[labels[row] * width + c];
    }
  }
  return gramMatrix(differences, count).map((sum) => sum / count);
}
