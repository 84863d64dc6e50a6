import { largestMagnitude } from "../../kernels/wasm/largest_magnitude.ts";
import { placeOf } from "./magnitude.ts";

/**
 * The last line of defence: whatever a method does, NaN and overflow are not handed on as a result.
 *
 * @param producer What computed it, in words.
 * @throws {Error} That names the first value that is not finite.
 */
export function checkOutput(output: Float32Array, shape: readonly number[], producer: string): void {
  if (largestMagnitude(output) < Infinity) return;
  const at = output.findIndex((x) => !Number.isFinite(x));
  throw new Error(`Cannot attend: ${producer} produced ${output[at]} in ${placeOf(shape, at)}`);
}
