import type { Backend } from "../../kernels/backend.ts";
import type { Problem } from "../core/problem.ts";
import type { Certificate } from "./certificate.ts";
import {
  boundFrom,
  type ErrorBound,
  estimateFrom,
  type Evidence,
  farthestErrors,
  gatherEvidence,
} from "./evidence.ts";
import { ExactRows } from "./exact_rows.ts";
import type { HeadGeometry } from "./head_geometry.ts";

/** What a check is to establish, and from how many rows. */
export interface CertificateRequest {
  readonly epsilon: number;
  readonly delta: number;
  /** Rows of each query head to compute exactly. */
  readonly rows: number;
  /** Decides which rows; the method must not know it. */
  readonly seed: number;
  /** Tells repeated checks of one seed apart, so that each draws fresh rows. */
  readonly round: number;
  /** Rest `holds` on the bound, or on the estimate alone. */
  readonly certify: "bound" | "estimate";
}

/**
 * Bounds the error of an approximate output a posteriori, and writes the exact rows computed for it into the output.
 *
 * Of each query head fresh rows are drawn uniformly without replacement and computed exactly, up to the rounding r_i
 * that `rounding_bound.ts` allows them. Every row of attention lies in the convex hull of the values, so the error of
 * row i is at most B_i = ‖output_i − centre‖ + radius, known for all rows; with B = max B_i the mean of (‖error_i‖/B)²
 * over all rows has an upper confidence bound from the rows drawn (`confidence.ts`), hence so has ‖E‖_op <= ‖E‖_F. The
 * rows drawn leave the sum but for their rounding. The error allowed, epsilon·‖P‖·‖V‖, uses a lower confidence bound on ‖P‖
 * >= ‖P x‖/‖x‖ from the same rows, x being independent of them. Nothing is assumed of the method, which may know
 * everything but the seed of the check.
 *
 * @param problem One in which every query sees every key.
 * @returns The certificate of the query head that is closest to its target or farthest above it, and which head that is.
 */
export async function certify(
  backend: Backend,
  problem: Problem,
  output: Float32Array,
  geometry: readonly HeadGeometry[],
  request: CertificateRequest,
  signal?: AbortSignal,
): Promise<{ certificate: Certificate; head: number }> {
  const exact = new ExactRows(problem, geometry, request.seed, request.round);
  await exact.extendTo(backend, request.rows, signal);
  const evidence = evidenceOf(problem, output, exact, geometry, farthestErrors(problem, output, geometry));
  exact.writeInto(output);
  return certifyHeads(evidence, geometry, request);
}

/** What the rows computed so far tell of each query head of an output. */
export function evidenceOf(
  { period, valueFeatures }: Problem,
  output: Float32Array,
  exact: ExactRows,
  geometry: readonly HeadGeometry[],
  farthest: readonly number[],
): Evidence[] {
  const size = period * valueFeatures;
  return geometry.map((head, at) =>
    gatherEvidence(output.subarray(at * size, (at + 1) * size), exact.ofHead(at), head, {
      farthest: farthest[at],
      firstRow: at * period,
    })
  );
}

/** The certificate that evidence of all query heads gives: that of the head that is closest to its target or farthest above it. */
export function certifyHeads(
  evidence: readonly Evidence[],
  geometry: readonly HeadGeometry[],
  { epsilon, delta, rows, certify, seed }: Omit<CertificateRequest, "round">,
): { certificate: Certificate; head: number } {
  const kind = rows === evidence[0].queries ? "exact" : certify, each = delta / evidence.length;
  let worst: ErrorBound & { head: number; size: number; share: number } | undefined;
  for (const [head, found] of evidence.entries()) {
    const bound = boundFrom(found, geometry[head], { epsilon, rows, delta: each });
    const size = kind === "estimate" ? estimateFrom(found, rows) : bound.operatorNormBound;
    // A value norm of 0 leaves a target of 0, which only an error of 0 meets.
    const share = size === 0 ? 0 : size < Infinity ? size / bound.target : Infinity;
    if (!worst || !(share <= worst.share)) worst = { ...bound, head, size, share };
  }
  const { operatorNormBound, target, head, size } = worst!;
  const certificate = {
    // Written so that nothing holds that is not a number.
    holds: size < Infinity && size <= target,
    guaranteed: kind !== "estimate",
    epsilon,
    delta,
    operatorNormBound,
    operatorNormEstimate: estimateFrom(evidence[head], rows),
    target,
    rowsChecked: rows,
    kind,
    checkSeed: seed,
  } as const;
  return { certificate, head };
}
