/** The part of one head of data that `heads` heads share equally: a view, not a copy. */
export function ofHead<T extends Float32Array | Uint32Array>(data: T, head: number, heads: number): T {
  const size = data.length / heads;
  return data.subarray(head * size, (head + 1) * size) as T;
}
