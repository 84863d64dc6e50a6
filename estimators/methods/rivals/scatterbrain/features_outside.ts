import { EMPTY } from "../../../../kernels/backend.ts";
import { mergeRows, type WeightedRows } from "../../../core/merge_rows.ts";

/**
 * Of features summed over the keys of each block, [blocks, features, width] and [blocks, features], the sums over all blocks but the own
 * and its neighbours: by running sums from both ends, in which nothing is subtracted, so that nothing cancels.
 */
export function featuresOutside(
  { output, logSumExp }: WeightedRows,
  blocks: number,
  width: number,
): { readonly output: Float32Array; readonly logSumExp: Float32Array } {
  const features = logSumExp.length / blocks;
  const ofBlock = (block: number): WeightedRows => ({
    output: output.subarray(block * features * width, (block + 1) * features * width),
    logSumExp: logSumExp.subarray(block * features, (block + 1) * features),
  });
  const outside = {
    output: new Float32Array(output.length),
    logSumExp: new Float32Array(logSumExp.length).fill(EMPTY),
  };
  // Blocks before the window, then those behind it.
  for (const step of [1, -1]) {
    const running = {
      output: new Float64Array(features * width),
      logSumExp: new Float64Array(features).fill(EMPTY),
    };
    for (let at = 2; at < blocks; at++) {
      const block = step === 1 ? at : blocks - 1 - at;
      mergeRows(running, ofBlock(block - 2 * step), width);
      mergeRows(
        {
          output: outside.output.subarray(block * features * width, (block + 1) * features * width),
          logSumExp: outside.logSumExp.subarray(block * features, (block + 1) * features),
        },
        running,
        width,
      );
    }
  }
  return outside;
}
