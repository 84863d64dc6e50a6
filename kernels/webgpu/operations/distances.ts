import type { Backend, DeviceArray } from "../../backend.ts";
import distancesSource from "./gathered_distances.wgsl" with { type: "text" };
import productsSource from "./inner_products.wgsl" with { type: "text" };
import type { Kernel } from "../engine/pipelines.ts";
import type { Recorder } from "../engine/recorder.ts";
import { padRows } from "./rows.ts";

const products: Kernel = {
  file: "inner_products.wgsl",
  source: [productsSource],
  access: ["read", "read", "write"],
};

const distances: Kernel = {
  file: "gathered_distances.wgsl",
  source: [distancesSource],
  access: ["read", "read", "read", "write"],
};

/** Rows, and directions, that one invocation takes. */
const TILE = 4;

/** Inner products of rows with directions. */
export function innerProducts(
  recorder: Recorder,
  args: Parameters<Backend["innerProducts"]>[0],
): DeviceArray {
  const { rows, directions, heads, count, width, projections } = args;
  const result = recorder.array("float", heads * count * projections, "the inner products");
  const rowTiles = Math.ceil(count / TILE), directionTiles = Math.ceil(projections / TILE);
  recorder.dispatch({
    kernel: products,
    parameters: [heads, count, Math.ceil(width / 4), projections, rowTiles, directionTiles],
    arrays: [
      padRows(recorder, rows, heads * count, width),
      padRows(recorder, directions, heads * projections, width),
      result,
    ],
    workgroups: Math.ceil(heads * rowTiles * directionTiles / 64),
  });
  return result;
}

/** Squared distances of queries to rows of their own choice. */
export function gatheredDistances(
  recorder: Recorder,
  args: Parameters<Backend["gatheredDistances"]>[0],
): DeviceArray {
  const { rows, query, index, heads, count, queries, width, picks } = args;
  const result = recorder.array("float", heads * queries * picks, "the distances");
  recorder.dispatch({
    kernel: distances,
    parameters: [heads, count, queries, Math.ceil(width / 4), picks],
    arrays: [
      padRows(recorder, rows, heads * count, width),
      padRows(recorder, query, heads * queries, width),
      index,
      result,
    ],
    workgroups: Math.ceil(result.length / 64),
  });
  return result;
}
