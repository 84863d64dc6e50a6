import type { Backend } from "../../kernels/backend.ts";
import { pickRows } from "../linear_algebra/pick_rows.ts";
import { Purpose, RandomStream } from "../../kernels/random.ts";
import { candidateDistances } from "./candidate_distances.ts";
import { type Cells, makeCells, type NearCell, nearCells } from "./cells.ts";
import { CentredPoints } from "./centred_points.ts";
import { checkTarget } from "./check_target.ts";
import { type DensityEstimate, type DensityEstimator, type DensityTarget, Evaluations } from "./density.ts";
import { type FloorEstimator, SearchedDensity } from "./floor_search.ts";
import { logAddExp, logSumExp } from "./log_domain.ts";

/** Distances of one submission. */
const CHUNK_DISTANCES = 2 ** 21;

/** Lengths, in bandwidths, up to which squared distances are sure to stay in range. */
const DISTANCE_REACH = 2 ** 50;

/** How one query is answered. */
interface Split {
  /** Cells whose points are all looked at. */
  readonly near: readonly NearCell[];
  /** Points in them. */
  readonly nearPoints: number;
  /** Draws from the other points. */
  readonly others: number;
}

/**
 * Near points and random others (Karppa, Aumüller and Pagh, "DEANN: speeding up kernel-density estimation using
 * approximate nearest neighbor search", AISTATS 2022): Z = (sum over near points + (n − near) · mean over draws from the
 * others)/n, unbiased whichever points the search returns.
 *
 * Here the search also bounds the kernel values kappa that it has not seen, so the number of draws follows from
 * Bernstein's inequality without assuming that it found the nearest points: the mean of m draws in [0, kappa] with mean
 * at most p is off by more than epsilon p with probability at most 2 exp(−m epsilon² p/((2 + 2 epsilon/3) kappa)). Each query
 * looks at as many cells as make near points plus draws fewest.
 */
export class NearestNeighbour implements FloorEstimator {
  readonly #backend: Backend;
  readonly #points: CentredPoints;
  readonly #cells: Cells;
  readonly #queries: Float32Array;
  readonly #target: DensityTarget;
  /** For each query its cells, nearest first. */
  readonly #near: NearCell[][];

  constructor(
    backend: Backend,
    points: CentredPoints,
    cells: Cells,
    queries: Float32Array,
    target: DensityTarget,
  ) {
    this.#backend = backend;
    this.#points = points;
    this.#cells = cells;
    this.#queries = queries;
    this.#target = target;
    this.#near = Array.from(
      { length: queries.length / points.features },
      (_, row) => nearCells(cells, queries, row, points),
    );
  }

  kernelEvaluationsAt(floor: number, delta: number, rows: Uint32Array): number {
    let total = 0;
    for (const row of rows) {
      const { nearPoints, others } = this.#split(row, floor, delta);
      total += nearPoints + others;
    }
    return total / rows.length;
  }

  async estimateAt(
    rows: Uint32Array,
    floor: number,
    delta: number,
    signal?: AbortSignal,
  ): Promise<DensityEstimate> {
    const { features } = this.#points, cost = new Evaluations(), answers = new Float64Array(rows.length);
    for (let first = 0; first < rows.length;) {
      const splits: Split[] = [], candidates: Uint32Array[] = [];
      for (let total = 0; total < CHUNK_DISTANCES && first + splits.length < rows.length;) {
        const row = rows[first + splits.length], split = this.#split(row, floor, delta);
        splits.push(split);
        candidates.push(this.#candidates(row, split));
        total += split.nearPoints + split.others;
      }
      const picked = pickRows(this.#queries, features, rows.subarray(first, first + splits.length));
      const distances = await candidateDistances(this.#backend, this.#points, picked, candidates, signal);
      splits.forEach((split, at) => answers[first + at] = this.#combine(split, distances[at]));
      cost.add({ kernelEvaluations: candidates.reduce((sum, list) => sum + list.length, 0) });
      first += splits.length;
    }
    return cost.with(answers);
  }

  /** The cheapest number of cells to look at, and the draws that the rest then needs. */
  #split(row: number, floor: number, delta: number): Split {
    const { epsilon } = this.#target, cells = this.#near[row];
    const perKernel = (2 + 2 * epsilon / 3) * Math.log(2 / delta) / (epsilon ** 2 * floor);
    let seen = 0, best = { looked: 0, nearPoints: 0, others: Infinity };
    for (let looked = 0; looked <= cells.length; looked++) {
      const others = looked === cells.length ? 0 : Math.ceil(perKernel * cells[looked].largestKernel);
      if (seen + others < best.nearPoints + best.others) best = { looked, nearPoints: seen, others };
      if (looked < cells.length) seen += this.#cells.members[cells[looked].cell].length;
    }
    return { near: cells.slice(0, best.looked), nearPoints: best.nearPoints, others: best.others };
  }

  /** The near points, then the draws. */
  #candidates(row: number, { near, nearPoints, others }: Split): Uint32Array {
    const { members, cellOf } = this.#cells, list = new Uint32Array(nearPoints + others);
    const looked = new Set<number>();
    let at = 0;
    for (const { cell } of near) {
      looked.add(cell);
      list.set(members[cell], at);
      at += members[cell].length;
    }
    const stream = new RandomStream(this.#target.seed, Purpose.otherPoints, row);
    while (at < list.length) {
      const point = stream.integer(this.#points.count);
      if (!looked.has(cellOf[point])) list[at++] = point;
    }
    return list;
  }

  #combine({ nearPoints, others }: Split, squaredDistances: Float32Array): number {
    const logKernel = Float64Array.from(squaredDistances, (squared) => -squared / 2),
      { count } = this.#points;
    const near = logSumExp(logKernel.subarray(0, nearPoints));
    if (others === 0) return near - Math.log(count);
    const far = logSumExp(logKernel.subarray(nearPoints)) + Math.log((count - nearPoints) / others);
    return logAddExp(near, far) - Math.log(count);
  }
}

/** Fits an estimator of near points and random others. */
export function nearestNeighbourDensity(
  backend: Backend,
  points: Float32Array,
  features: number,
  target: DensityTarget,
  bandwidth?: number,
): DensityEstimator {
  checkTarget(target);
  const centred = new CentredPoints(points, features, bandwidth);
  let cells: Promise<Cells> | undefined;
  return new SearchedDensity(backend, centred, target, async (queries, cost, signal) => {
    if (centred.farthest(queries) > DISTANCE_REACH) return undefined;
    // An aborted build is not kept.
    cells ??= makeCells(backend, centred, target.seed, cost, signal).catch((error) => {
      cells = undefined;
      throw error;
    });
    const made = await cells;
    const rows = queries.length / features;
    // Distances to centres cost as much as kernel values.
    cost.add({ kernelEvaluations: rows * made.members.length });
    return new NearestNeighbour(backend, centred, made, queries, target);
  });
}
