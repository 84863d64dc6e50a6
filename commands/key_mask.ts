import { formatShape } from "../kernels/tensor.ts";
import { readArray } from "../files/arrays/read.ts";

/**
 * Reads which keys may be seen: an array of 0 and 1, or of truth values.
 *
 * @param keyShape [..., n_k, d]; the mask has the shape [n_k] or [..., n_k].
 * @throws {TypeError} If the shape is another.
 * @throws {RangeError} If a value is neither 0 nor 1.
 */
export async function readKeyMask(path: string, keyShape: readonly number[]): Promise<Float32Array> {
  const { data, shape } = await readArray(path, { dimensions: [1, 3] });
  const perHead = keyShape.slice(0, -1), shared = perHead.slice(-1);
  if (![perHead, shared].some((allowed) => String(allowed) === String(shape))) {
    throw new TypeError(
      `Cannot read ${path}: a mask of keys must have the shape ${
        [...new Set([shared, perHead].map((allowed) => formatShape(allowed)))].join(" or ")
      }, as key has ${formatShape(keyShape)}: current shape is ${formatShape(shape)}`,
    );
  }
  const at = data.findIndex((value) => value !== 0 && value !== 1);
  if (at >= 0) {
    throw new RangeError(
      `Cannot read ${path}: values of a mask of keys must be 0 (hidden) or 1 (seen): value ${at} is ${
        data[at]
      }`,
    );
  }
  return data;
}
