import type { Backend } from "../kernels/backend.ts";
import { ReferenceBackend } from "../kernels/reference/backend.ts";
import type { RowTree } from "../kernels/tree_primitives.ts";
import { largestDifference } from "./precision.ts";

/** The arrays of a tree, to be uploaded to any backend. */
export interface HostTree {
  readonly order: Uint32Array;
  readonly rows: Float32Array;
  readonly cuts: Uint32Array;
}

/** The reference's tree over rows, so that what is tested on it does not hang on a backend's own. */
export async function hostTree(
  rows: Float32Array,
  shape: { readonly heads: number; readonly count: number; readonly width: number },
): Promise<HostTree> {
  const reference = new ReferenceBackend();
  const tree = reference.growTree({ ...shape, rows: reference.upload(rows) });
  const [order, ordered, cuts] = await reference.run([tree.order, tree.rows, tree.cuts]);
  return { order: order as Uint32Array, rows: ordered as Float32Array, cuts: cuts as Uint32Array };
}

/** A tree on a backend. */
export function uploadTree(on: Backend, { order, rows, cuts }: HostTree): RowTree {
  return { order: on.upload(order), rows: on.upload(rows), cuts: on.upload(cuts) };
}

/** Σ w ‖y − ȳ‖² over the rows [begin, end) by the plain formula in f32. */
export function plainScatter(
  rows: Float32Array,
  weights: Float32Array,
  begin: number,
  end: number,
  width: number,
): number {
  const { fround } = Math;
  let mass = 0, scatter = 0;
  for (let j = begin; j < end; j++) mass = fround(mass + weights[j]);
  if (mass === 0) return 0;
  for (let c = 0; c < width; c++) {
    let mean = 0;
    for (let j = begin; j < end; j++) mean = fround(mean + fround(weights[j] * rows[j * width + c]));
    mean = fround(mean / mass);
    for (let j = begin; j < end; j++) {
      const difference = fround(rows[j * width + c] - mean);
      scatter = fround(scatter + fround(weights[j] * fround(difference * difference)));
    }
  }
  return scatter;
}

/** Errors of values that are not negligible, each in units of the exact one, and of the others in units of what is. */
export function relativeErrors(
  values: ArrayLike<number>,
  exact: ArrayLike<number>,
  negligible: number,
): Float64Array {
  return Float64Array.from(exact, (x, at) => Math.abs(values[at] - x) / Math.max(Math.abs(x), negligible));
}

/** The largest of {@link relativeErrors}; Infinity if anything is not finite. */
export function largestRelativeError(
  values: ArrayLike<number>,
  exact: ArrayLike<number>,
  negligible: number,
): number {
  const errors = relativeErrors(values, exact, negligible);
  return largestDifference(errors, new Float64Array(errors.length));
}
