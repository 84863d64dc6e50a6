import { operatorNorm } from "../../estimators/linear_algebra/operator_norm.ts";
import { checkTensor, formatShape, type Tensor } from "../../kernels/tensor.ts";

/**
 * ‖approximate − exact‖_op / ‖exact‖_op of each head of two outputs [..., rows, columns]. Where the exact
 * output is zero the ratio is 0 if the approximate one is zero too, else Infinity.
 *
 * @throws {TypeError} If the shapes differ or have fewer than two dimensions.
 * @throws {RangeError} If a value is not finite.
 */
export function relativeOutputError(approximate: Tensor, exact: Tensor): number[] {
  checkTensor("approximate", approximate);
  checkTensor("exact", exact);
  const { shape } = exact;
  if (formatShape(approximate.shape) !== formatShape(shape)) {
    throw new TypeError(
      `Cannot compare outputs: approximate has shape ${formatShape(approximate.shape)} ` +
        `but exact has ${formatShape(shape)}`,
    );
  }
  if (shape.length < 2) {
    throw new TypeError(
      `Cannot compare outputs: they must have at least 2 dimensions: current value is ${shape.length}`,
    );
  }
  const [rows, columns] = shape.slice(-2), size = rows * columns;
  return Array.from({ length: exact.data.length / size }, (_, head) => {
    const reference = exact.data.subarray(head * size, (head + 1) * size);
    const difference = Float64Array.from(reference, (value, i) => approximate.data[head * size + i] - value);
    const error = operatorNorm(difference, rows, columns);
    return error === 0 ? 0 : error / operatorNorm(reference, rows, columns);
  });
}
