import type { Specialisation } from "../engine/pipelines.ts";

/** Invocations of a workgroup of a row-wise kernel. */
const INVOCATIONS = 64;
/** Most elements of a row that one lane takes; more lanes share wider rows. */
const MOST_STEPS = 16;

/** Elements that a lane which sums them loads at a time on GPUs. */
const AHEAD = 8;

/** Invocations of a workgroup that sums up whole columns, and how many of these, side by side so that what it loads lies together. */
const WHOLE = 256;
export const TOGETHER = { vec4f: 4, f32: 16 };

/** How a row-wise kernel walks rows of `width` values. */
export interface RowTile extends Pick<Specialisation, "element" | "definitions"> {
  /** Width of a row in elements. */
  readonly width: number;
  /** Rows of one workgroup. */
  readonly rows: number;
}

/**
 * Whole vec4s where rows divide into them: they are loaded faster than single floats. On a GPU neighbouring lanes
 * share a row, so that they touch neighbouring addresses; on an adapter emulated on the CPU each lane takes a
 * row of its own, which pays once for finding it, as long as that does not take too much code.
 */
export function rowTile(
  width: number,
  software: boolean,
  element: RowTile["element"] = width % 4 === 0 ? "vec4f" : "f32",
): RowTile {
  const elements = element === "vec4f" ? width / 4 : width;
  let lanes = software ? 1 : 16;
  while (lanes < INVOCATIONS && elements > lanes * MOST_STEPS) lanes *= 2;
  const rows = INVOCATIONS / lanes;
  return {
    element,
    definitions: {
      LANES: lanes,
      ROWS: rows,
      STEPS: Math.ceil(elements / lanes),
      AHEAD: software ? 1 : AHEAD,
      WHOLE,
      TOGETHER: TOGETHER[element!],
    },
    width: elements,
    rows,
  };
}
