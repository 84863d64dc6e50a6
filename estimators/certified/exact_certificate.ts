import type { Backend } from "../../kernels/backend.ts";
import type { Problem } from "../core/problem.ts";
import type { Certificate } from "./certificate.ts";
import type { RoundingBounds } from "./rounding_bound.ts";
import { HOST_ROUNDING, type ValueGeometry } from "./value_geometry.ts";

/**
 * The certificate of exact attention, before it is computed: it has the rounding errors of its device, and no others.
 *
 * @throws {RangeError} If these may exceed epsilon: no certificate is issued then, since nothing that the device
 * computes could be compared with anything better.
 */
export function exactCertificate(
  backend: Backend,
  problem: Problem,
  values: readonly ValueGeometry[],
  bounds: RoundingBounds,
  { epsilon, delta }: { readonly epsilon: number; readonly delta: number },
): Certificate {
  const { heads, queries, period } = problem, group = queries / period;
  let worst = { bound: 0, product: 0, share: 0 };
  for (let at = 0; at < heads * group; at++) {
    const value = values[Math.floor(at / group)];
    const bound = roundingOfRows(bounds, value, at * period, (at + 1) * period);
    const product = leastSoftmaxNorm(period, value) * value.valueNorm;
    const share = bound === 0 ? 0 : bound / product;
    if (at === 0 || !(share <= worst.share)) worst = { bound, product, share };
  }
  const { bound, product, share } = worst;
  if (!(bound <= epsilon * product)) throw new RangeError(describeRefusal(backend, epsilon, share));
  return {
    holds: true,
    guaranteed: true,
    epsilon,
    delta,
    operatorNormBound: bound,
    operatorNormEstimate: 0,
    target: epsilon * product,
    rowsChecked: 0,
    kind: "exact",
    checkSeed: null,
  };
}

/** Bound on ‖E‖_F over the rows [start, end) of exact attention. */
function roundingOfRows(
  bounds: RoundingBounds,
  value: ValueGeometry,
  start: number,
  end: number,
): number {
  let sum = 0;
  for (let row = start; row < end; row++) sum += roundingOfRow(bounds, value, row) ** 2;
  return Math.sqrt(sum) * (1 + HOST_ROUNDING);
}

/** Bound on the error of one row of exact attention. */
export function roundingOfRow(
  { weights, sums, least }: RoundingBounds,
  { radius, longest, centre }: ValueGeometry,
  row: number,
): number {
  // Values that are all zero give zeros.
  if (longest === 0) return 0;
  return weights[row] * radius + sums * longest + least * Math.sqrt(centre.length);
}

/** Rows that sum to 1 give ‖P‖ >= ‖P 1‖/‖1‖ = √(queries/keys), for 1 on the visible keys alone. */
export function leastSoftmaxNorm(queries: number, { visible }: ValueGeometry): number {
  return Math.sqrt(queries / visible) * (1 - HOST_ROUNDING);
}

function describeRefusal({ kind }: Backend, epsilon: number, least: number): string {
  if (!(least < 0.99)) {
    return `Cannot certify: no epsilon below 1 can be promised for these tensors, since rounding alone may change exact ` +
      `attention on ${kind} by ${least.toPrecision(2)} times ‖P‖·‖V‖: current value is ${epsilon}`;
  }
  const unit = 10 ** (Math.floor(Math.log10(least)) - 1), digits = Math.ceil(least / unit) * unit;
  return `Cannot certify: epsilon must be at least ${
    digits.toPrecision(2)
  } for these tensors, since exact attention on ` +
    `${kind} may err by as much through rounding alone: current value is ${epsilon}`;
}

/**
 * Refuses an exact output that is not finite.
 *
 * @throws {RangeError} Naming the first number that is not.
 */
export function checkFinite(output: Float32Array, { valueFeatures, period }: Problem): void {
  for (let at = 0; at < output.length; at++) {
    if (Number.isFinite(output[at])) continue;
    const row = Math.floor(at / valueFeatures);
    throw new RangeError(
      `Cannot certify: the output must be finite: row ${row % period}, column ${
        at % valueFeatures
      } of head ` +
        `${Math.floor(row / period)} is ${output[at]}`,
    );
  }
}
