import type { Backend } from "../../kernels/backend.ts";
import type { CentredPoints } from "./centred_points.ts";
import { pickRows } from "../linear_algebra/pick_rows.ts";
import { Purpose, RandomStream } from "../../kernels/random.ts";
import type { Evaluations } from "./density.ts";
import { squaredNorms } from "./log_domain.ts";

/** Inner products of one submission. */
const CHUNK_FLOATS = 2 ** 22;

/** Points grouped around some of them: an inverted file, the plainest approximate nearest-neighbour search. */
export interface Cells {
  /** [cells, features], as in the points' data */
  readonly centres: Float32Array;
  /** Points of each cell. */
  readonly members: readonly Uint32Array[];
  /** Largest distance of a point of each cell to its centre, in bandwidths. */
  readonly radii: Float64Array;
  /** [count]: the cell of each point. */
  readonly cellOf: Uint32Array;
}

/** A cell as a query sees it. */
export interface NearCell {
  readonly cell: number;
  /** No point of the cell has a larger kernel value, by the triangle inequality. */
  readonly largestKernel: number;
}

/** Puts each point into the cell of the nearest of about √count centres, which are points drawn at random. */
export async function makeCells(
  backend: Backend,
  points: CentredPoints,
  seed: number,
  cost: Evaluations,
  signal?: AbortSignal,
): Promise<Cells> {
  const { features, count, data, centred } = points, cells = Math.ceil(Math.sqrt(count));
  const chosen = new RandomStream(seed, Purpose.cells).distinct(cells, count);
  const centres = pickRows(data, features, chosen), directions = pickRows(centred, features, chosen);
  const norms = squaredNorms(directions, features);
  const cellOf = new Uint32Array(count), radii = new Float64Array(cells);
  const perChunk = Math.max(1, Math.floor(CHUNK_FLOATS / Math.max(cells, features)));
  for (let first = 0; first < count; first += perChunk) {
    const rows = centred.subarray(first * features, (first + perChunk) * features);
    const size = rows.length / features;
    const [products] = await backend.run([backend.innerProducts({
      rows: backend.upload(rows),
      directions: backend.upload(directions),
      heads: 1,
      count: size,
      width: features,
      projections: cells,
    })], signal);
    backend.reset();
    for (let row = 0; row < size; row++) {
      let nearest = 0, most = -Infinity;
      for (let cell = 0; cell < cells; cell++) {
        const closeness = products[row * cells + cell] - norms[cell] / 2;
        if (closeness > most) [most, nearest] = [closeness, cell];
      }
      cellOf[first + row] = nearest;
      // Inner products may have rounded the nearest away; whichever cell it is, its radius is right.
      const distance = distanceBetween(data, first + row, centres, nearest, features) / points.bandwidth;
      radii[nearest] = Math.max(radii[nearest], distance);
    }
  }
  cost.add({ buildEvaluations: count * cells });
  const members: number[][] = Array.from({ length: cells }, () => []);
  cellOf.forEach((cell, point) => members[cell].push(point));
  return { centres, members: members.map((list) => Uint32Array.from(list)), radii, cellOf };
}

/** The cells of a query, those that may hold the largest kernel values first. */
export function nearCells(
  { centres, radii }: Cells,
  queries: Float32Array,
  row: number,
  { features, bandwidth }: CentredPoints,
): NearCell[] {
  const seen = Array.from(radii, (radius, cell): NearCell => {
    // A hair closer than computed, so that rounding cannot make the bound too small.
    const nearest = Math.max(
      0,
      (1 - 1e-6) * (distanceBetween(queries, row, centres, cell, features) / bandwidth - radius) - 1e-6,
    );
    return { cell, largestKernel: Math.exp(-nearest * nearest / 2) };
  });
  return seen.sort((a, b) => b.largestKernel - a.largestKernel);
}

function distanceBetween(
  rows: Float32Array,
  row: number,
  others: Float32Array,
  other: number,
  width: number,
): number {
  let squared = 0;
  for (let t = 0; t < width; t++) squared += (rows[row * width + t] - others[other * width + t]) ** 2;
  return Math.sqrt(squared);
}
