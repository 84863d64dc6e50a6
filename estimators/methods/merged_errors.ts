import type { HostAttention } from "../core/exact.ts";
import type { Problem } from "../core/problem.ts";
import type { ErrorSums, HeldOutRows } from "./held_out.ts";
import type { RectangleGroup } from "./rectangles.ts";

/** Rows of a head whose lengths are looked at, about. */
const SAMPLE = 512;

/** Rows held out in a group of rectangles. */
export interface HeldOutGroup {
  readonly members: RectangleGroup["members"];
  readonly heldOut: HeldOutRows;
  /** [members, rows]: their exact parts. */
  readonly exact: HostAttention;
}

/** The rows held out in a group, with the parts of its result that stand in their places. */
export function heldOutOf(
  { members, problem: { queries, valueFeatures: width } }: RectangleGroup,
  { output, logSumExp }: HostAttention,
  heldOut: HeldOutRows,
): HeldOutGroup {
  const { picks, rows } = heldOut;
  const exact = { output: new Float32Array(picks.length * width), logSumExp: new Float32Array(picks.length) };
  picks.forEach((pick, at) => {
    const row = Math.floor(at / rows) * queries + pick;
    exact.output.set(output.subarray(row * width, (row + 1) * width), at * width);
    exact.logSumExp[at] = logSumExp[row];
  });
  return { members, heldOut, exact };
}

/**
 * What rows held out in rectangles tell of each head of the merged output: by how much a row changes if a rectangle's own answer
 * takes the place of its exact part. Errors of different rectangles are taken for independent, so that their squares add.
 */
export function mergedErrors(
  problem: Problem,
  merged: HostAttention,
  groups: readonly HeldOutGroup[],
): ErrorSums[] {
  const { heads, queries, valueFeatures: width } = problem;
  const rows = new Float64Array(heads), error = new Float64Array(heads), spread = new Float64Array(heads);
  for (const { members, heldOut, exact } of groups) {
    members.forEach(({ head, firstQuery }, member) => {
      const each = heldOut.standFor[member] / heldOut.rows;
      rows[head] += heldOut.rows;
      for (let at = member * heldOut.rows; each > 0 && at < (member + 1) * heldOut.rows; at++) {
        const row = head * queries + firstQuery + heldOut.picks[at];
        const share = Math.exp(exact.logSumExp[at] - merged.logSumExp[row]);
        const other = Math.exp(heldOut.logSumExp[at] - merged.logSumExp[row]);
        const total = Math.max(0, 1 - share) + other;
        for (let c = 0; c < width; c++) {
          const x = merged.output[row * width + c], own = exact.output[at * width + c];
          const changed = (x - share * own + other * heldOut.output[at * width + c]) / total;
          error[head] += each * (changed - x) ** 2;
          spread[head] += each * (share * (heldOut.meanValue[member * width + c] - own)) ** 2;
        }
      }
    });
  }
  return Array.from(rows, (count, head) => ({
    rows: count,
    error: error[head],
    spread: spread[head],
    // What a fit misses is about at right angles to what it gives.
    output: squaredNorm(merged.output.subarray(head * queries * width, (head + 1) * queries * width), width) +
      error[head],
  }));
}

/** Σ ‖x‖² over all rows, from evenly strided ones. */
function squaredNorm(output: Float32Array, width: number): number {
  const count = output.length / width, stride = Math.ceil(count / SAMPLE);
  let sum = 0;
  for (let row = 0; row < count; row += stride) {
    for (let at = row * width; at < (row + 1) * width; at++) sum += output[at] ** 2;
  }
  return sum * count / Math.ceil(count / stride);
}
