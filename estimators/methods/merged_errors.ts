import type { HostAttention } from "../core/exact.ts";
import { ofHead } from "../core/of_head.ts";
import type { Problem } from "../core/problem.ts";
import { pickRows } from "../linear_algebra/pick_rows.ts";
import { scatteredPlaces } from "../linear_algebra/scattered_places.ts";
import type { ErrorSums, HeldOutRows } from "./held_out.ts";
import type { Rectangle, RectangleGroup } from "./rectangles.ts";

/** Rows of a head whose lengths are looked at, at most. */
const SAMPLE = 512;

/** Rows held out in a rectangle, with the parts of its result that stand in their places. */
export interface HeldOutPart extends Pick<Rectangle, "head" | "firstQuery"> {
  readonly heldOut: HeldOutRows;
  /** [rows]: their exact parts. */
  readonly exact: HostAttention;
}

/** The rows held out in each rectangle of a group. */
export function heldOutOf(
  { members, problem: { valueFeatures: width } }: RectangleGroup,
  { output, logSumExp }: HostAttention,
  heldOut: readonly HeldOutRows[],
): HeldOutPart[] {
  return members.map(({ head, firstQuery }, at) => {
    const own = heldOut[at];
    const exact = {
      output: pickRows(ofHead(output, at, members.length), width, own.picks),
      logSumExp: pickRows(ofHead(logSumExp, at, members.length), 1, own.picks),
    };
    return { head, firstQuery, heldOut: own, exact };
  });
}

/**
 * What rows held out in rectangles tell of each head of the merged output: by how much a row changes if a rectangle's own answer
 * takes the place of its exact part. Errors of different rectangles are taken for independent, so that their squares add.
 */
export function mergedErrors(
  problem: Problem,
  merged: HostAttention,
  parts: readonly HeldOutPart[],
): ErrorSums[] {
  const { heads, queries, valueFeatures: width } = problem;
  return Array.from({ length: heads }, (_, head) => {
    const output = ofHead(merged.output, head, heads), logSumExp = ofHead(merged.logSumExp, head, heads);
    const errors: Float64Array[] = [];
    let spread = 0, error = 0;
    for (const { firstQuery, heldOut, exact } of parts.filter((part) => part.head === head)) {
      const { picks, meanValue, standFor } = heldOut, each = standFor / picks.length;
      picks.forEach((pick, at) => {
        const row = firstQuery + pick, changed = new Float64Array(width);
        const share = Math.exp(exact.logSumExp[at] - logSumExp[row]);
        const other = Math.exp(heldOut.logSumExp[at] - logSumExp[row]);
        const total = Math.max(0, 1 - share) + other;
        for (let c = 0; c < width && each > 0; c++) {
          const x = output[row * width + c], own = exact.output[at * width + c];
          const off = (x - share * own + other * heldOut.output[at * width + c]) / total - x;
          error += each * off ** 2;
          spread += each * (share * (meanValue[c] - own)) ** 2;
          changed[c] = Math.sqrt(each) * off;
        }
        errors.push(changed);
      });
    }
    const outputs = sampledRows(output, queries, width);
    const joined = new Float64Array(errors.length * width);
    errors.forEach((row, at) => joined.set(row, at * width));
    return {
      rows: errors.length,
      error,
      spread,
      // What a fit misses is about at right angles to what it gives.
      output: outputs.reduce((sum, x) => sum + x * x, 0) + error,
      sample: { width, errors: joined, outputs },
    };
  });
}

/** Some rows, each times the root of how many it stands for. */
function sampledRows(output: Float32Array, count: number, width: number): Float64Array {
  const picks = scatteredPlaces(count, SAMPLE), factor = Math.sqrt(count / picks.length);
  return Float64Array.from(pickRows(output, width, picks), (x) => factor * x);
}
