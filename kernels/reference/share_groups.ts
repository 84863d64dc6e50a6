import { TREE_GROUP } from "../tree_primitives.ts";
import { scatterOf } from "./scatter_of.ts";

/** Where groups of keys begin: at 0, and where the largest node is cut of each further run of TREE_GROUP positions. */
export function groupStarts(cuts: Uint32Array, count: number): number[] {
  const sizeAt = (cut: number) => cuts[4 * cut + 1] - cuts[4 * cut];
  return Array.from({ length: Math.ceil(count / TREE_GROUP) }, (_, group) => {
    let start = group * TREE_GROUP;
    for (let cut = start; group > 0 && cut < Math.min(count, (group + 1) * TREE_GROUP); cut++) {
      if (sizeAt(cut) > sizeAt(start)) start = cut;
    }
    return start;
  });
}

/** Weights of the keys of a centre by how much its queries, of which some offsets are given, look at the groups they are in. */
export function shareGroups(
  weights: Float64Array,
  rows: Float64Array,
  starts: readonly number[],
  offsets: Float64Array,
  width: number,
): Float64Array {
  const picks = offsets.length / width, count = weights.length;
  const groups = starts.map((begin, group) => {
    const end = starts[group + 1] ?? count, own = weights.subarray(begin, end);
    const mass = own.reduce((a, b) => a + b, 0), mean = new Float64Array(width);
    own.forEach((w, j) => {
      for (let c = 0; c < width; c++) mean[c] += w * rows[(begin + j) * width + c] / (mass || 1);
    });
    const logShare = mass > 0
      ? Math.log(mass) + scatterOf(rows, weights, 0, begin, end, width) / mass / 2
      : -Infinity;
    return { begin, end, mass, mean, logShare };
  });
  const squares = groups.map(({ mass }) => mass ** 2);
  for (let pick = 0; pick < picks; pick++) {
    const offset = offsets.subarray(pick * width, (pick + 1) * width);
    const logits = groups.map(({ mean, logShare }) =>
      logShare + mean.reduce((sum, x, c) => sum + x * offset[c], 0)
    );
    const largest = logits.reduce((a, b) => Math.max(a, b));
    const shares = logits.map((x) => Math.exp(x - largest)), total = shares.reduce((a, b) => a + b);
    shares.forEach((share, group) => squares[group] += (share / total) ** 2);
  }
  const shared = new Float64Array(count);
  groups.forEach(({ begin, end, mass }, group) => {
    const factor = mass > 0 ? Math.sqrt(squares[group] / (picks + 1)) / mass : 0;
    for (let j = begin; j < end; j++) shared[j] = weights[j] * factor;
  });
  return shared;
}
