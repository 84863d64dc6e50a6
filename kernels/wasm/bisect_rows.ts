import type { Backend } from "../backend.ts";
import { type Bisection, CUT_SAMPLE } from "../coreset_primitives.ts";
import * as layout from "./layout.ts";
import type { Recorder, WasmArray } from "./program.ts";

/** Bytes of a node before its mean: see `assembly/bisect_rows.ts`. */
const NODE_HEADER = 16;

/** Records the bisection of rows, one head a task. */
export function bisectRows(recorder: Recorder, args: Parameters<Backend["bisectRows"]>[0]): Bisection {
  const { heads, count, width, budget, perCluster } = args;
  const rows = args.rows as WasmArray, weights = args.weights as WasmArray;
  const most = Math.min(count, Math.max(1, Math.floor(budget / perCluster)));
  const padded = 4 * Math.ceil(width / 4);
  const labels = recorder.words(heads * count), clusters = recorder.words(heads);
  const products = recorder.words(heads), order = recorder.words(heads * count);
  const moments = recorder.floats(heads * count);
  const nodes = recorder.words(heads * most * (NODE_HEADER / 4 + padded));
  recorder.record({
    code: layout.BISECT_ROWS,
    tasks: heads,
    // deno-fmt-ignore
    words: [
      rows.address, weights.address, labels.address, clusters.address, products.address, order.address,
      moments.address, nodes.address, heads, count, width, most, budget, perCluster,
    ],
    inputs: [rows, weights],
    outputs: [labels, clusters, products, order, moments, nodes],
    scratchBytes: 4 * (3 * count + 3 * padded + CUT_SAMPLE),
  });
  return { labels, clusters, products };
}
