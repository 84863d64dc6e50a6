import type { RandomStream } from "../../kernels/random.ts";
import { BlockKrylov } from "./block_krylov.ts";
import { randomStartBound, ratioBound, traceBound } from "./krylov_bounds.ts";
import { squaredLength } from "./lower_operator_norm.ts";

/** What {@link encloseEigenvalue} is told of a matrix, and asked for. */
export interface EnclosureRequest {
  /** Order of the matrix. */
  readonly length: number;
  /** Its trace. */
  readonly trace: number;
  /** What the start is drawn from: nothing that the matrix depends on. */
  readonly random: RandomStream;
  /** Random vectors to start from. */
  readonly starts: number;
  /** One vector more to start from. */
  readonly alsoFrom?: Float64Array;
  /** A bound from above that is known, such as that of the even vector. */
  readonly above?: number;
  /** Whether no entry is negative: bounds then meet, and hold without chance. */
  readonly nonNegative: boolean;
  /** Upper over lower bound, less 1, that is close enough. */
  readonly tolerance: number;
  /** How many leading eigenvalues are to be settled. */
  readonly pairs: number;
  /** Residual at which one is, in the largest eigenvalue. */
  readonly settled: number;
  /** Products of the iteration, and then at most so many of single vectors. */
  readonly mostSteps: number;
  readonly mostRatios: number;
  /** Probability that the upper bound is too small, over the start. */
  readonly chance: number;
}

/** What is known of the leading eigenvalues. */
export interface Enclosure {
  /** Bounds on the largest eigenvalue. */
  readonly lower: number;
  readonly upper: number;
  /** The space that was searched. */
  readonly krylov: BlockKrylov;
}

/** No component of a vector is smaller, against the largest: the bound divides by each of them. */
const LEAST_COMPONENT = 1e-30;
/** Up to so many steps each one is looked at, then one in some. */
const EACH_STEP = 16, SOME_STEPS = 4;
/** What a residual falls to before images of the vector are taken. */
const CLOSER = 1e-3;

/**
 * Encloses the largest eigenvalue of a symmetric positive semidefinite matrix by block Lanczos iteration. It yields vectors and is given their
 * images, so that whoever has the matrix multiplies at once or waits for a device. The Ritz value is the lower bound. Of the upper bounds the
 * least counts: what the start leaves to chance, what the trace leaves, and for a matrix without negative entries the largest ratio of
 * a positive vector's image to it, first of the Ritz vector, then of its further images.
 */
export function* encloseEigenvalue(
  request: EnclosureRequest,
): Generator<readonly Float64Array[], Enclosure, Float64Array[]> {
  const { length, trace, random, nonNegative, tolerance, pairs, settled, mostSteps, chance } = request;
  const starts = Math.min(request.starts, length);
  const start: Float64Array[] = [];
  for (let at = 0; at < starts; at++) start.push(Float64Array.from({ length }, () => random.normal()));
  if (request.alsoFrom) start.push(request.alsoFrom);
  const krylov = new BlockKrylov(start);
  let lower = 0, upper = Math.min(trace, request.above ?? Infinity);
  const isClose = () => upper <= lower * (1 + tolerance);
  while (krylov.block.length > 0 && krylov.steps < mostSteps) {
    krylov.absorb(yield krylov.block);
    // Late steps change little, and all eigenpairs of the space take longer the larger it is.
    const { steps } = krylov, isEnd = krylov.block.length === 0 || steps === mostSteps;
    if (steps > EACH_STEP && steps % SOME_STEPS !== 0 && !isEnd) continue;
    const { values } = krylov, wanted = Math.min(pairs, values.length);
    lower = values[0];
    const byChance = randomStartBound(krylov, length, starts, chance / mostSteps);
    upper = Math.min(upper, byChance, traceBound(krylov, trace));
    let open = 0;
    for (let rank = 0; rank < wanted; rank++) if (!(krylov.residual(rank) <= settled * lower)) open++;
    if (open > 0 || wanted < Math.min(pairs, length)) continue;
    if (nonNegative) upper = Math.min(upper, ratioOfPair(krylov));
    // Steps bring a vector closer than its further images do, until it is as good as it gets.
    if (isClose() || nonNegative && krylov.residual(0) <= CLOSER * settled * lower) break;
  }
  if (nonNegative) {
    let vector = positive(krylov.vector(0));
    for (let round = 0; round < request.mostRatios && !isClose(); round++) {
      const [image] = yield [vector];
      upper = Math.min(upper, ratioBound(vector, image));
      const scale = 1 / Math.sqrt(squaredLength(image));
      vector = positive(image.map((x) => x * scale));
    }
  }
  return { lower, upper: Math.max(lower, upper), krylov };
}

/** The ratio bound of the leading Ritz vector where it is positive, for nothing; else Infinity. */
function ratioOfPair(krylov: BlockKrylov): number {
  const vector = krylov.vector(0), image = krylov.image(0), sign = Math.sign(vector[0]);
  if (!vector.every((x) => x * sign > 0)) return Infinity;
  return ratioBound(vector.map((x) => x * sign), image.map((x) => x * sign));
}

/** Magnitudes, none of them zero. */
function positive(vector: Float64Array): Float64Array {
  const least = LEAST_COMPONENT * vector.reduce((largest, x) => Math.max(largest, Math.abs(x)), 0);
  return vector.map((x) => Math.max(least, Math.abs(x)));
}
