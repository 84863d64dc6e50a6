/** Values in Fortran order, the first index fastest, brought into C order, the last index fastest. */
export function rowMajor(data: Float32Array, shape: readonly number[]): Float32Array<ArrayBuffer> {
  const ordered = new Float32Array(data.length);
  const strides = shape.map((_, axis) =>
    shape.slice(0, axis).reduce((product, extent) => product * extent, 1)
  );
  const index = shape.map(() => 0);
  let from = 0;
  for (let at = 0; at < ordered.length; at++) {
    ordered[at] = data[from];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += strides[axis];
      if (++index[axis] < shape[axis]) break;
      from -= strides[axis] * shape[axis];
      index[axis] = 0;
    }
  }
  return ordered;
}
