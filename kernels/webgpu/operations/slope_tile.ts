import type { Recorder } from "../engine/recorder.ts";

/** What one invocation takes, and how many invocations are a workgroup of those that sum up slopes. */
export interface Tile {
  /** Rows and vec4s of a row of `addLinear`. */
  readonly rows: number;
  readonly columns: number;
  /** vec4s of its queries that it loads at a time. */
  readonly depth: number;
  /** vec4s of a row of a slope. */
  readonly strip: number;
  readonly lanes: number;
  /** Invocations that share the keys of a sum, and keys that each loads at a time. */
  readonly parts: number;
  readonly ahead: number;
  /** Invocations that share a sampled key. */
  readonly sharing: number;
}

const FEW: Tile = { rows: 4, columns: 1, depth: 4, strip: 1, lanes: 64, parts: 16, ahead: 8, sharing: 16 };

/** Where there are many rows: what is loaded serves more of them. */
const MANY: Tile = { ...FEW, rows: 8, columns: 4, depth: 1 };
/** Rows of all heads from which larger tiles still are enough for a GPU. */
const MANY_ROWS = 2 ** 13;

/** Where loads limit: the larger a tile, the less is loaded for each product. */
const SOFTWARE_TILE: Tile = {
  rows: 24,
  columns: 8,
  depth: 1,
  strip: 4,
  lanes: 16,
  parts: 1,
  ahead: 1,
  sharing: 1,
};

/** The tile that suits a device, and so many rows. */
export function tileFor(recorder: Recorder, rows: number): Tile {
  return recorder.software ? SOFTWARE_TILE : rows < MANY_ROWS ? FEW : MANY;
}
