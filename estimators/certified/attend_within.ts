import type { Backend } from "../../kernels/backend.ts";
import { type Budget, type Method, perQuery } from "../methods/method.ts";
import { countVisible } from "../core/visible_pairs.ts";
import type { Progress } from "../core/head_chunks.ts";
import type { CentredProblem } from "../core/centred.ts";
import type { Problem } from "../core/problem.ts";
import type { Certificate } from "./certificate.ts";
import { attemptWithin } from "./attempts.ts";
import { LEAST_ROWS } from "./check_plan.ts";
import { ExactRows } from "./exact_rows.ts";
import { checkFinite, exactCertificate } from "./exact_certificate.ts";
import { headGeometry, PROBES } from "./head_geometry.ts";
import { attendMerged } from "./merged_keys.ts";
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
  /** Whether cells of keys may answer in the place of the method, where a bound of each row allows that. */
  readonly merge?: boolean;
}

/** An output with its certificate, and what it took. */
export interface CertifiedAttention {
  readonly output: Float32Array;
  readonly certificate: Certificate;
  /** Inner products of a query and a key, probes, checks and attempts given up included. */
  readonly keyEvaluations: number;
  /** The budget of the attempt that held; null when the output is exact. */
  readonly budget: Budget | null;
  /** Whether cells of keys answered: its budget is then their number. */
  readonly merged?: boolean;
  /** Why the output is exact, or null. */
  readonly reason: string | null;
}

/**
 * What may be lost where exact attention has to answer after all, as a share of its evaluations: those that look for the
 * direction of ‖P‖, and all approximations. Rows that were checked are none of it, since they are rows of its answer.
 */
const MOST_LOST = 0.12;
/** Share of the rows that are probed for that direction at most. */
const MOST_PROBED = 1 / 64;
/** Share of the rows that may be checked: beyond it exact attention is the better answer, since it has no error. */
const MOST_CHECKED = 0.7;

/**
 * Attention to a given error, certified: approximates, compares with rows computed exactly until the certificate holds, and
 * falls back to exact attention as soon as these rows say that it will not, or no more may be lost. Where keys lie in few cells that
 * no query tells apart, these answer, and the certificate is certain.
 *
 * @param method The method to approximate with; left out, attention is exact.
 * @throws {RangeError} Before any work, if rounding alone may exceed epsilon; and if exact attention is not finite.
 */
export async function attendWithin(
  method: Method | undefined,
  backend: Backend,
  centred: CentredProblem,
  request: ErrorRequest,
  start: Budget,
  progress: Progress = {},
): Promise<CertifiedAttention> {
  const exactly: Problem = centred.exact;
  const values = valueGeometry(exactly), bounds = roundingBounds(backend, exactly);
  // An approximation is compared with exact rows: where these are not precise enough, nothing is.
  const certificate = exactCertificate(backend, exactly, values, bounds, request);
  const { queries, period, keys } = exactly, queryHeads = exactly.heads * (queries / period);
  const answerExactly = async (
    reason: string | null,
    lost = 0,
    rows = new ExactRows(exactly, [], request.checkSeed),
  ): Promise<CertifiedAttention> => {
    const output = await rows.complete(backend, progress);
    checkFinite(output, exactly);
    const keyEvaluations = queryHeads * lost + countVisible(exactly);
    return { output, certificate, keyEvaluations, budget: null, reason };
  };
  if (!method) return await answerExactly(null);
  if (request.merge) {
    const merged = await attendMerged(backend, centred.problem, values, bounds, request.epsilon, progress);
    if (merged) {
      const budget = { ...start, bucketSize: 0, samples: merged.cells };
      return { ...merged, budget, merged: true, reason: null };
    }
  }
  const mostRows = Math.floor(MOST_CHECKED * period),
    probes = Math.ceil(Math.min(PROBES, MOST_PROBED * period));
  const probing = probes * keys;
  const allowance = MOST_LOST * period * keys - probing;
  const hopeless = reasonAgainst(method, centred.problem, start, mostRows, allowance);
  if (hopeless) return await answerExactly(`exact: ${hopeless}`);

  const geometry = await headGeometry(
    backend,
    exactly,
    request.checkSeed,
    progress.signal,
    values,
    bounds,
    probes,
  );
  const rows = new ExactRows(exactly, geometry, request.checkSeed);
  const settings = { ...request, method, problem: centred.problem, geometry, start, mostRows, allowance };
  const { held, reason, evaluations } = await attemptWithin(backend, settings, rows, progress);
  if (!held) return await answerExactly(reason, probing + evaluations, rows);
  return {
    ...held,
    keyEvaluations: queryHeads * (probing + evaluations + rows.rows * keys),
    reason: null,
  };
}

/** Why no approximation comes into question, if sizes alone tell. */
function reasonAgainst(
  method: Method,
  { period, keys, causalOffset, logWeights }: Problem,
  start: Budget,
  mostRows: number,
  allowance: number,
): string | undefined {
  if (causalOffset !== undefined || logWeights) {
    return "errors of approximations under causal order or a key mask are not certified";
  }
  if (mostRows < LEAST_ROWS) {
    return `checking takes at least ${LEAST_ROWS} rows, and of ${period} at most ${mostRows} pay`;
  }
  if (!method.withinBudget) {
    return "the method keeps to no budget: what it takes might be lost, if no certificate came of it";
  }
  if (perQuery(start) * period <= allowance) return undefined;
  return `${
    perQuery(start)
  } keys per query are too many to be lost if no certificate comes of them, at most ${
    Math.max(0, Math.floor(allowance / period))
  } of ${keys} may be`;
}
