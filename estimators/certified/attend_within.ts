import type { Backend } from "../../kernels/backend.ts";
import { type Attend, type Budget, perQuery, scaleBudget } from "../methods/method.ts";
import { countVisible } from "../core/visible_pairs.ts";
import { approximateAttention } from "../methods/visible.ts";
import { exactAttention } from "../core/exact.ts";
import type { Progress } from "../core/head_chunks.ts";
import type { Problem } from "../core/problem.ts";
import {
  type Certificate,
  certify,
  exactCertificate,
  type HeadGeometry,
  headGeometry,
} from "./certificate.ts";

/** An error to be met, and how it is to be established. */
export interface ErrorRequest {
  /** Relative to ‖P‖·‖V‖, in (0, 1). */
  readonly epsilon: number;
  /** Probability allowed of a larger error, in (0, 1). */
  readonly delta: number;
  /** Rest the certificate on a bound, or on an estimate alone. */
  readonly certify: "bound" | "estimate";
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
 */
export async function attendWithin(
  method: Attend,
  backend: Backend,
  problem: Problem,
  request: ErrorRequest,
  start: Budget,
  progress: Progress = {},
): Promise<CertifiedAttention> {
  const { heads, queries, keys } = problem;
  const affordable = WORTHWHILE * queries * keys;
  let spent = 0;
  const giveUp = async (reason: string): Promise<CertifiedAttention> => {
    const { output } = await exactAttention(backend, problem, progress);
    const keyEvaluations = heads * spent + countVisible(problem);
    const certificate = exactCertificate(request.epsilon, request.delta);
    return { output, certificate, keyEvaluations, budget: null, reason };
  };
  if (problem.causalOffset !== undefined || problem.logWeights) {
    return await giveUp("exact: errors under causal order or a key mask are not certified");
  }
  if (LEAST_ROWS * keys + perQuery(start) * queries > affordable) {
    return await giveUp("exact: checking would cost more than it saves at this size");
  }
  const geometry = await headGeometry(backend, problem, start.seed, progress.signal);
  spent += geometry[0].probes * keys;

  let budget = start;
  let rows = Math.max(
    ...geometry.map((head) => rowsNeeded(head, queries, request, request.delta / (2 * heads))),
  );
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const keysPerQuery = perQuery(budget);
    if (spent + rows * keys + keysPerQuery * queries > affordable) {
      return await giveUp(
        `exact: certifying epsilon ${request.epsilon} would take ${rows} checked rows and ${keysPerQuery} keys per query`,
      );
    }
    const result = await approximateAttention(method, backend, problem, budget, progress);
    const check = {
      ...request,
      delta: request.delta / 2 ** (round + 1),
      rows,
      seed: budget.seed,
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
    spent += result.keyEvaluations / heads + rows * keys;
    if (certificate.holds) {
      return {
        output: result.output,
        certificate: { ...certificate, delta: request.delta },
        keyEvaluations: heads * spent,
        budget,
        reason: null,
      };
    }
    // Errors fall about in proportion to the budget; what the aim leaves is for the rows not seen. The target that
    // counts is the one that more rows would confirm.
    const { softmaxNormEstimate, valueNorm } = geometry[head];
    const target = Math.max(certificate.target!, request.epsilon * softmaxNormEstimate * valueNorm);
    const excess = certificate.operatorNormEstimate / (AIM * target);
    if (excess > 1) budget = scaleBudget(budget, Math.min(8, Math.max(2, excess)));
    else rows = Math.min(queries, 2 * rows);
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
