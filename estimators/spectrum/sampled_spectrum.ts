import type { Backend } from "../../kernels/backend.ts";
import type { RandomStream } from "../../kernels/random.ts";
import { lowerMeanBound, upperMeanBound } from "../certified/confidence.ts";
import type { Problem } from "../core/problem.ts";
import { BlockKrylov } from "../linear_algebra/block_krylov.ts";
import { addRow, gramImages, innerProduct } from "../linear_algebra/gram_images.ts";
import { squaredLength } from "../linear_algebra/lower_operator_norm.ts";
import { symmetricEigenpairs } from "../linear_algebra/symmetric_eigenpairs.ts";
import { largestEntries } from "./largest_entries.ts";
import { SampledRows } from "./sampled_rows.ts";
import { type Enclosed, type SoftmaxSpectrum, stableRankOf } from "./spectrum.ts";

/** Steps of Lanczos' iteration on the rows of one half, of which nothing is asked but to lead where P is large. */
const STEPS = 8;

/**
 * Spectrum of the softmax matrix of one head from some of its rows, drawn evenly: rows · n_k logits in the place of n_q · n_k. One half tells in
 * which directions P is large, and the other, fresh one how large. Every bound holds but for a third of delta: a mean of numbers in [0, 1] over
 * rows lies where Hoeffding's inequality lets it (Hoeffding 1963, Theorem 1 and §6). Few rows can be all of ‖P‖, and a sample that misses them
 * says nothing of them; so upper bounds are far off unless no row can be large.
 *
 * @param problem Of one head and one sequence of queries, more than `rows`.
 */
export async function sampledSpectrum(
  backend: Backend,
  problem: Problem,
  { leading, rows, delta, random, signal }: {
    readonly leading: number;
    readonly rows: number;
    readonly delta: number;
    readonly random: RandomStream;
    readonly signal?: AbortSignal;
  },
): Promise<SoftmaxSpectrum> {
  const { queries, keys } = problem, drawn = random.distinct(rows, queries), third = delta / 3;
  const learnt = drawn.subarray(0, rows >> 1), fresh = drawn.subarray(rows >> 1);
  const read = (picks: Uint32Array) => SampledRows.read(backend, problem, picks, signal);
  const known = await read(learnt),
    krylov = leadingDirections(known, Math.min(leading, rows >> 1, keys), random);
  const pairs = Math.min(leading, krylov.values.length);
  const vectors = Array.from({ length: pairs }, (_, rank) => krylov.vector(rank));
  const direction = towardsPositive(vectors[0]);
  const seen = measure(known, vectors, direction), news = measure(await read(fresh), vectors, direction);
  // What is left stands for all rows that were not learnt from.
  const left = queries - learnt.length, { total, largest } = largestEntries(problem, learnt);
  const sumOver = (of: (own: Measured) => Float64Array, most: number): Enclosed => {
    const sum = of(seen).reduce((a, b) => a + b, 0), count = fresh.length;
    const mean = Math.min(1, of(news).reduce((a, b) => a + Math.min(b, most), 0) / (count * most));
    return {
      lower: sum + left * most * lowerMeanBound(mean, count, third),
      estimate: sum + left * most * mean,
      upper: sum + left * most * upperMeanBound(mean, count, third),
    };
  };
  const squares = sumOver(({ squares }) => squares, largest);
  const squaredFrobenius = {
    lower: Math.max(queries / keys, squares.lower),
    estimate: Math.max(queries / keys, squares.estimate),
    upper: Math.min(squares.upper, total),
  };
  const image = sumOver(({ images }) => images, tellingImage(seen.images, direction, fresh.length, third));
  const found = projectedValues(seen, news, left, pairs), even = queries / keys;
  const lower = Math.sqrt(Math.max(even, image.lower));
  const upper = Math.max(lower, Math.sqrt(squaredFrobenius.upper));
  const norm = { lower, estimate: Math.min(upper, Math.max(lower, Math.sqrt(found[0]))), upper };
  return {
    norm,
    squaredFrobenius,
    stableRank: stableRankOf(norm, squaredFrobenius, Math.min(queries, keys)),
    singularValues: found.map(Math.sqrt),
    residuals: found.map(() => NaN),
    rows,
    keyEvaluations: rows * keys,
  };
}

/** Right singular vectors of the known rows, about. */
function leadingDirections(known: SampledRows, leading: number, random: RandomStream): BlockKrylov {
  const { columns } = known, start: Float64Array[] = [];
  for (let at = 0; at < leading; at++) {
    start.push(Float64Array.from({ length: columns }, () => random.normal()));
  }
  const sum = new Float64Array(columns);
  for (let i = 0; i < known.rows; i++) addRow(sum, known.row(i), 1);
  const krylov = new BlockKrylov([...gramImages(known, start), sum]);
  while (krylov.block.length > 0 && krylov.steps < STEPS) krylov.absorb(gramImages(known, krylov.block));
  return krylov;
}

/** The same direction without negative entries, in which a matrix without negative entries is no smaller; of unit length. */
function towardsPositive(vector: Float64Array): Float64Array {
  const sizes = vector.map(Math.abs), length = Math.sqrt(squaredLength(sizes));
  return sizes.map((x) => x / length);
}

/** Of each of some rows p: ‖p‖², ⟨p, x⟩² for the direction x, and Σ over rows of Vp (Vp)ᵀ. */
interface Measured {
  readonly squares: Float64Array;
  readonly images: Float64Array;
  readonly projected: Float64Array;
}

function measure(rows: SampledRows, vectors: readonly Float64Array[], direction: Float64Array): Measured {
  const squares = new Float64Array(rows.rows), images = new Float64Array(rows.rows), size = vectors.length;
  const projected = new Float64Array(size * size);
  for (let i = 0; i < rows.rows; i++) {
    const row = rows.row(i), parts = vectors.map((vector) => innerProduct(row, vector));
    squares[i] = squaredLength(row);
    images[i] = innerProduct(row, direction) ** 2;
    for (let a = 0; a < size; a++) {
      for (let b = 0; b < size; b++) projected[a * size + b] += parts[a] * parts[b];
    }
  }
  return { squares, images, projected };
}

/** The size of squared images beyond which they count as no more, with which the known rows would prove most of the fresh ones. */
function tellingImage(images: Float64Array, direction: Float64Array, count: number, delta: number): number {
  const sorted = images.toSorted().reverse();
  // No row of a stochastic matrix has a larger image.
  let best = { most: direction.reduce((a, b) => Math.max(a, b), 0) ** 2, proven: 0 };
  for (let at = 0; at < sorted.length; at = Math.ceil(1.5 * at + 0.5)) {
    const most = sorted[at];
    if (!(most > 0)) break;
    const mean = sorted.reduce((sum, x) => sum + Math.min(x, most), 0) / (sorted.length * most);
    const proven = most * lowerMeanBound(Math.min(1, mean), count, delta);
    if (proven > best.proven) best = { most, proven };
  }
  return best.most;
}

/** Eigenvalues of V PᵀP Vᵀ, the known rows counted once and the fresh ones for all that are left. */
function projectedValues(seen: Measured, news: Measured, left: number, size: number): Float64Array {
  const weight = left / news.images.length;
  const whole = seen.projected.map((x, at) => x + weight * news.projected[at]);
  return symmetricEigenpairs(whole, size).values.map((x) => Math.max(0, x));
}
