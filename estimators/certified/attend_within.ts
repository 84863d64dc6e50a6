import type { Backend } from "../../kernels/backend.ts";
import { type Attend, type Budget, perQuery, scaleBudget } from "../methods/method.ts";
import { countVisible } from "../core/visible_pairs.ts";
import { approximateAttention } from "../methods/visible.ts";
import { exactAttention } from "../core/exact.ts";
import type { Progress } from "../core/head_chunks.ts";
import type { CentredProblem } from "../core/centred.ts";
import type { Problem } from "../core/problem.ts";
import type { Certificate } from "./certificate.ts";
import { certify } from "./certify.ts";
import { checkFinite, exactCertificate } from "./exact_certificate.ts";
import { type HeadGeometry, headGeometry } from "./head_geometry.ts";
import { roundingBounds } from "./rounding_bound.ts";
import { valueGeometry } from "./value_geometry.ts";

/** An error to be met, and how it is to be established. */
export interface ErrorRequest {
  /** Relative to ‖P‖·‖V‖, in (0, 1). */
  readonly epsilon: number;
  /** Probability allowed of a larger error, in (0, 1). */
  readonly delta: number;
  /** Rest the certificate on a bound, or on an estimate alone, which guarantees nothing. */
  readonly certify: "bound" | "estimate";
  /** Decides which rows are checked: the method must not know it. */
  readonly checkSeed: number;
}

/** An output with its certificate, and what it took. */
export interface CertifiedAttention {
  readonly output: Float32Array;
  readonly certificate: Certificate;
  /** Inner products of a query and a key, probes, checks and attempts given up included. */
  readonly keyEvaluations: number;
  /** The budget of the attempt that held; null when the output is exact. */
  readonly budget: Budget | null;
  /** Why the output is exact, or null. */
  readonly reason: string | null;
}

/**
 * Share of the cost of exact attention that approximating and checking may take. Above it exact attention is the
 * better answer: it has no error, and its kernel needs no sorting and no solving.
 */
const WORTHWHILE = 0.7;
/** The error aimed at, as a share of the one allowed: the check bounds the error with rows that it has not seen. */
const AIM = 0.5;
const MOST_ROUNDS = 6;
/** Fewest rows that a check draws. */
const LEAST_ROWS = 64;

/**
 * Attention to a given error, certified: plans how many rows a check will need, approximates, checks, and grows the
 * budget or the check geometrically until the certificate holds or exact attention costs less. Round k spends
 * delta/2^(k+1), so that all rounds together err with probability at most delta.
 *
 * @param method The method to approximate with; left out, attention is exact.
 * @throws {RangeError} Before any work, if rounding alone may exceed epsilon; and if exact attention is not finite.
 */
export async function attendWithin(
  method: Attend | undefined,
  backend: Backend,
  centred: CentredProblem,
  request: ErrorRequest,
  start: Budget,
  progress: Progress = {},
): Promise<CertifiedAttention> {
  const problem: Problem = centred.exact;
  const { heads, queries, period, keys } = problem, queryHeads = heads * (queries / period);
  const values = valueGeometry(problem), bounds = roundingBounds(backend, problem);
  // An approximation is compared with exact rows: where these are not precise enough, nothing is.
  const exactly = exactCertificate(backend, problem, values, bounds, request);
  const affordable = WORTHWHILE * period * keys;
  let spent = 0;
  const giveUp = async (reason: string | null): Promise<CertifiedAttention> => {
    const { output } = await exactAttention(backend, problem, progress);
    checkFinite(output, problem);
    const keyEvaluations = queryHeads * spent + countVisible(problem);
    return { output, certificate: exactly, keyEvaluations, budget: null, reason };
  };
  if (!method) return await giveUp(null);
  if (problem.causalOffset !== undefined || centred.problem.logWeights) {
    return await giveUp("exact: errors of approximations under causal order or a key mask are not certified");
  }
  if (LEAST_ROWS * keys + perQuery(start) * period > affordable) {
    return await giveUp("exact: checking would cost more than it saves at this size");
  }
  const geometry = await headGeometry(backend, problem, request.checkSeed, progress.signal, values, bounds);
  spent += geometry[0].probes * keys;

  let budget = start;
  let rows = Math.max(
    ...geometry.map((head) => rowsNeeded(head, period, request, request.delta / (2 * queryHeads))),
  );
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const keysPerQuery = perQuery(budget);
    if (spent + rows * keys + keysPerQuery * period > affordable) {
      return await giveUp(
        `exact: certifying epsilon ${request.epsilon} would take ${rows} checked rows and ${keysPerQuery} keys per query`,
      );
    }
    const result = await approximateAttention(method, backend, centred.problem, budget, progress);
    // Checking would find nothing; and it may have been another order of sums than the certificate of exact rows is about.
    if (result.exact) return await giveUp(result.note ?? null);
    const check = {
      ...request,
      delta: request.delta / 2 ** (round + 1),
      rows,
      seed: request.checkSeed,
      round,
    };
    const { certificate, head } = await certify(
      backend,
      problem,
      result.output,
      geometry,
      check,
      progress.signal,
    );
    spent += result.keyEvaluations / queryHeads + rows * keys;
    if (certificate.holds) {
      return {
        output: result.output,
        certificate: { ...certificate, delta: request.delta },
        keyEvaluations: queryHeads * spent,
        budget,
        reason: null,
      };
    }
    if (!Number.isFinite(certificate.operatorNormEstimate)) {
      return await giveUp("exact: the approximation is not finite");
    }
    // Errors fall about in proportion to the budget; what the aim leaves is for the rows not seen. The target that
    // counts is the one that more rows would confirm.
    const { softmaxNormEstimate, valueNorm } = geometry[head];
    const target = Math.max(certificate.target, request.epsilon * softmaxNormEstimate * valueNorm);
    const excess = certificate.operatorNormEstimate / (AIM * target);
    if (excess > 1) budget = scaleBudget(budget, Math.min(8, Math.max(2, excess)));
    else rows = Math.min(period, 2 * rows);
  }
  return await giveUp(`exact: ${MOST_ROUNDS} attempts did not reach epsilon ${request.epsilon}`);
}

/**
 * Rows after which a check of a small enough error holds: an upper bound of order ln(1/delta)/rows on the mean of
 * (error/B)² must bring B·sqrt(n·mean) below what the aim leaves of the target. An estimate needs far fewer.
 */
function rowsNeeded(
  { radius, valueNorm, softmaxNormEstimate }: HeadGeometry,
  queries: number,
  { epsilon, certify }: ErrorRequest,
  delta: number,
): number {
  if (certify === "estimate") return Math.min(queries, LEAST_ROWS);
  const target = epsilon * softmaxNormEstimate * valueNorm;
  // Outputs stay close to the hull of the values, seldom farther from the centre than a fifth of its radius.
  const farthest = 1.2 * radius;
  const rows = (Math.log(1 / delta) * queries * farthest ** 2) / ((1 - AIM ** 2) * target ** 2);
  return Math.min(queries, Math.max(LEAST_ROWS, Math.ceil(rows)));
}
