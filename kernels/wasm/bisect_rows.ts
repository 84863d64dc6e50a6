import type { Backend } from "../backend.ts";
import { type Bisection, CUT_SAMPLE } from "../coreset_primitives.ts";
import * as layout from "./layout.ts";
import type { Recorder, WasmArray } from "./program.ts";

/** Bytes of a node before its vectors: see `assembly/bisect_rows.ts`. */
const NODE_HEADER = 32;

/** Records the bisection of rows: a tree for each head, then the rows that it did not grow on descend, a chunk a task. */
export function bisectRows(recorder: Recorder, args: Parameters<Backend["bisectRows"]>[0]): Bisection {
  const { heads, count, width, grownOn, budget, perCluster } = args;
  const rows = args.rows as WasmArray, weights = args.weights as WasmArray;
  const most = Math.min(count, Math.max(1, Math.floor(budget / perCluster)));
  const every = Math.ceil(count / grownOn), grown = Math.ceil(count / every);
  const vector = 4 * Math.ceil(width / 4);
  const labels = recorder.words(heads * count), clusters = recorder.words(heads);
  const products = recorder.words(heads), order = recorder.words(heads * grown);
  const moments = recorder.floats(heads * count);
  const nodes = recorder.words(heads * most * (NODE_HEADER / 4 + 3 * vector));
  // deno-fmt-ignore
  const words = [
    rows.address, weights.address, labels.address, clusters.address, products.address, order.address,
    moments.address, nodes.address, heads, count, width, most, budget, perCluster, every,
  ];
  recorder.record({
    code: layout.BISECT_ROWS,
    tasks: heads,
    words,
    inputs: [rows, weights],
    outputs: [labels, clusters, products, order, moments, nodes],
    scratchBytes: 4 * (3 * grown + 2 * vector + CUT_SAMPLE),
  });
  if (every > 1) {
    recorder.record({
      code: layout.DESCEND_ROWS,
      tasks: heads * Math.ceil(count / layout.CHUNK_ROWS),
      words,
      inputs: [rows, nodes],
      outputs: [labels],
    });
  }
  return { labels, clusters, products };
}
