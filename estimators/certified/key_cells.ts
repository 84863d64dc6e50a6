import { Purpose, RandomStream } from "../../kernels/random.ts";

/** Rows in cells that are no wider than they may be. */
export interface RowCells {
  /** [rows]: the cell of each. */
  readonly cells: Uint32Array;
  readonly count: number;
  /** Distances that were computed. */
  readonly compared: number;
}

/** So many distances for each row, in the mean, and the rows lie in no few cells. */
const MOST_COMPARED = 8;

/**
 * Puts rows into cells, each within `reach` of the row that opens it. Along any one direction rows lie no farther apart than in space: a sweep
 * in the order of a projection compares each row with those cells alone that opened not farther back than that.
 *
 * @param rows Row-major, `width` numbers each.
 * @param picks The rows that are meant.
 * @param most Cells that there may be.
 * @returns Undefined if there are more, or if telling takes too long.
 */
export function cellsOfRows(
  rows: Float32Array,
  width: number,
  picks: Uint32Array,
  reach: number,
  most: number,
): RowCells | undefined {
  const places = projectionsOf(rows, width, picks);
  const order = Uint32Array.from(picks, (_, at) => at).sort((a, b) => places[a] - places[b]);
  const cells = new Uint32Array(picks.length), openers: number[] = [], openedAt: number[] = [];
  // A projection is rounded, so that rows at a distance of `reach` might seem to lie farther apart.
  const window = reach * (1 + 2 ** -40) + 2 ** -40 * Math.abs(places[order[0]] - places[order.at(-1)!]);
  let oldest = 0, compared = 0;
  for (const at of order) {
    while (oldest < openers.length && places[at] - openedAt[oldest] > window) oldest++;
    let cell = openers.length - 1;
    for (; cell >= oldest; cell--) {
      compared++;
      if (isWithin(rows, width, picks[at], picks[openers[cell]], reach)) break;
    }
    if (compared > MOST_COMPARED * picks.length) return undefined;
    if (cell < oldest) {
      if (openers.length === most) return undefined;
      cell = openers.push(at) - 1;
      openedAt.push(places[at]);
    }
    cells[at] = cell;
  }
  return { cells, count: openers.length, compared };
}

/** Of the rows on one direction of unit length. */
function projectionsOf(rows: Float32Array, width: number, picks: Uint32Array): Float64Array {
  const random = new RandomStream(0, Purpose.probes), direction = new Float64Array(width);
  for (let c = 0; c < width; c++) direction[c] = random.normal();
  const length = Math.hypot(...direction);
  return Float64Array.from(picks, (row) => {
    let sum = 0;
    for (let c = 0, from = row * width; c < width; c++) sum += rows[from + c] * direction[c];
    return sum / length;
  });
}

function isWithin(rows: Float32Array, width: number, one: number, other: number, reach: number): boolean {
  const most = reach * reach;
  let squared = 0;
  for (let c = 0, a = one * width, b = other * width; c < width; c++, a++, b++) {
    const away = rows[a] - rows[b];
    squared += away * away;
    if (squared > most) return false;
  }
  return true;
}

/** What stands for the rows of each cell. */
export interface CellMeans {
  /** [cells, width]: about their mean, in f32. */
  readonly means: Float32Array;
  /** How far a row of any cell lies from it at most. */
  readonly radius: number;
  /** How far it lies from the mean itself at most. */
  readonly moved: number;
  /** [cells] */
  readonly sizes: Uint32Array;
}

/** Means of the rows of each cell, and what they leave out. */
export function meansOfCells(
  rows: Float32Array,
  width: number,
  picks: Uint32Array,
  { cells, count }: RowCells,
): CellMeans {
  const sums = new Float64Array(count * width), sizes = new Uint32Array(count);
  cells.forEach((cell, at) => {
    sizes[cell]++;
    for (let c = 0, to = cell * width, from = picks[at] * width; c < width; c++) {
      sums[to + c] += rows[from + c];
    }
  });
  const exact = sums.map((sum, at) => sum / sizes[Math.floor(at / width)]), means = Float32Array.from(exact);
  const distance = (row: ArrayLike<number>, from: number, to: number) => {
    let squared = 0;
    for (let c = 0; c < width; c++) squared += (row[from + c] - means[to + c]) ** 2;
    return Math.sqrt(squared);
  };
  let radius = 0, moved = 0;
  cells.forEach((cell, at) => radius = Math.max(radius, distance(rows, picks[at] * width, cell * width)));
  for (let cell = 0; cell < count; cell++) {
    moved = Math.max(moved, distance(exact, cell * width, cell * width));
  }
  return { means, radius, moved, sizes };
}
