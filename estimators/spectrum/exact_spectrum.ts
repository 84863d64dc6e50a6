import type { Backend } from "../../kernels/backend.ts";
import type { RandomStream } from "../../kernels/random.ts";
import type { Problem } from "../core/problem.ts";
import { encloseEigenvalue } from "../linear_algebra/enclose_eigenvalue.ts";
import { SoftmaxProducts } from "./softmax_products.ts";
import { type SoftmaxSpectrum, stableRankOf } from "./spectrum.ts";

/** Blocks of Lanczos' iteration, and then products of single vectors that bring the bounds of Collatz and Wielandt closer. */
const MOST_STEPS = 40, MOST_RATIOS = 100;
/** Vectors that go through the logits together: these cost more, and more vectors take fewer steps. */
const STARTS = 16;
/** Probability, over the start, that an upper bound is too small where nothing better is known. */
const CHANCE = 1e-9;

/**
 * Spectrum of the softmax matrix of one head from products with P and Pᵀ, O(n) memory: by block Lanczos iteration from random vectors and
 * the even one, which P maps to itself. ‖P‖² is at most the largest column sum, since ‖P‖² <= ‖P‖₁‖P‖_∞ and rows sum to 1.
 *
 * @param problem Of one head and one sequence of queries.
 */
export async function exactSpectrum(
  backend: Backend,
  problem: Problem,
  { leading, tolerance, random, signal }: {
    readonly leading: number;
    readonly tolerance: number;
    readonly random: RandomStream;
    readonly signal?: AbortSignal;
  },
): Promise<SoftmaxSpectrum> {
  const { queries, keys } = problem, pairs = Math.min(leading, queries, keys);
  const products = new SoftmaxProducts(backend, problem, signal);
  const [trace] = await products.squaredFrobenius();
  const [columnSums] = await products.backward([new Float32Array(queries).fill(1)]);
  const search = encloseEigenvalue({
    length: keys,
    trace,
    random,
    starts: Math.max(pairs, STARTS),
    alsoFrom: columnSums,
    above: columnSums.reduce((a, b) => Math.max(a, b), 0),
    nonNegative: true,
    tolerance: (1 + tolerance) ** 2 - 1,
    pairs,
    settled: tolerance,
    mostSteps: MOST_STEPS,
    mostRatios: MOST_RATIOS,
    chance: CHANCE,
  });
  let next = search.next();
  while (!next.done) {
    const images = await products.backward(await products.forward(next.value));
    next = search.next(images);
  }
  const { lower, upper, krylov } = next.value;
  const norm = { lower: Math.sqrt(lower), estimate: Math.sqrt(lower), upper: Math.sqrt(upper) };
  const squaredFrobenius = { lower: trace, estimate: trace, upper: trace };
  const found = krylov.values.subarray(0, pairs);
  return {
    norm,
    squaredFrobenius,
    stableRank: stableRankOf(norm, squaredFrobenius, Math.min(queries, keys)),
    singularValues: found.map((value) => Math.sqrt(Math.max(0, value))),
    // |√λ − √θ| is at most |λ − θ|/√θ, and at most √|λ − θ|.
    residuals: found.map((value, rank) => {
      const residual = krylov.residual(rank), root = Math.sqrt(Math.max(0, value));
      return root > 0 ? Math.min(residual / root, Math.sqrt(residual)) : Math.sqrt(residual);
    }),
    rows: queries,
    keyEvaluations: products.keyEvaluations,
  };
}
