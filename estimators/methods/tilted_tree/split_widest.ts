/** Steps of two means. */
const STEPS = 3;

/** Rows that share a centre. */
interface Group {
  readonly members: readonly number[];
  readonly mean: Float64Array;
  /** Σ ‖row − mean‖⁴ */
  readonly spread: number;
}

/**
 * Splits the group with the largest Σ ‖row − mean‖⁴ in two, again and again, until there are as many as centres are wanted. Steps that move centres even groups
 * out, and leave few rows that lie far out with a centre among the many; most of what a tree errs by would be theirs.
 *
 * @param rows [count, width]
 * @param labels [count]: the group of each row
 * @returns Means of the groups, [wanted, width], the first in place of what cannot be split, and the group of each row
 */
export function splitWidest(
  rows: Float32Array,
  labels: Uint32Array,
  width: number,
  wanted: number,
): { readonly centres: Float64Array; readonly labels: Uint32Array } {
  const members = Map.groupBy(labels.keys(), (row) => labels[row]);
  const groups = [...members.values()].map((own) => groupOf(rows, own, width));
  while (groups.length < wanted) {
    const widest = groups.reduce((best, { spread }, at) => spread > groups[best].spread ? at : best, 0);
    const halves = split(rows, groups[widest].members, width);
    if (!halves) break;
    groups.splice(widest, 1, ...halves);
  }
  const centres = new Float64Array(wanted * width), ofRows = new Uint32Array(labels.length);
  for (let at = 0; at < wanted; at++) centres.set(groups[at < groups.length ? at : 0].mean, at * width);
  groups.forEach((group, at) => group.members.forEach((row) => ofRows[row] = at));
  return { centres, labels: ofRows };
}

function groupOf(rows: Float32Array, members: readonly number[], width: number): Group {
  const mean = new Float64Array(width);
  for (const row of members) for (let c = 0; c < width; c++) mean[c] += rows[row * width + c];
  for (let c = 0; c < width; c++) mean[c] /= members.length;
  const spread = members.reduce((sum, row) => sum + distance(rows, row, mean, width) ** 2, 0);
  return { members, mean, spread };
}

/** Two means of some rows, from those that lie about farthest from each other; undefined where all are equal. */
function split(rows: Float32Array, members: readonly number[], width: number): Group[] | undefined {
  // Of one type with means: distances to both take a third of the time.
  const rowOf = (row: number) => Float64Array.from(rows.subarray(row * width, (row + 1) * width));
  const farthest = (from: number) => {
    const point = rowOf(from);
    let far = from, most = 0;
    for (const row of members) {
      const own = distance(rows, row, point, width);
      if (own > most) [far, most] = [row, own];
    }
    return far;
  };
  const first = farthest(members[0]);
  let means: Float64Array[] = [rowOf(first), rowOf(farthest(first))], halves: Group[] | undefined;
  for (let step = 0; step < STEPS; step++) {
    const isNear = (row: number) =>
      distance(rows, row, means[0], width) <= distance(rows, row, means[1], width);
    const near = members.filter(isNear), far = members.filter((row) => !isNear(row));
    if (near.length === 0 || far.length === 0) break;
    halves = [groupOf(rows, near, width), groupOf(rows, far, width)];
    means = halves.map(({ mean }) => mean);
  }
  return halves;
}

function distance(rows: Float32Array, row: number, from: Float64Array, width: number): number {
  let sum = 0;
  for (let c = 0, at = row * width; c < width; c++, at++) sum += (rows[at] - from[c]) ** 2;
  return sum;
}
