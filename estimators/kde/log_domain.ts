/** ln(e^a + e^b); −Infinity stands for ln 0. */
export function logAddExp(a: number, b: number): number {
  const larger = Math.max(a, b);
  return larger === -Infinity ? -Infinity : larger + Math.log1p(Math.exp(Math.min(a, b) - larger));
}

/** ln Σ e^x of values whose sum itself may be out of range; −Infinity for none. */
export function logSumExp(logarithms: ArrayLike<number>): number {
  let largest = -Infinity;
  for (let at = 0; at < logarithms.length; at++) largest = Math.max(largest, logarithms[at]);
  if (largest === -Infinity) return -Infinity;
  let sum = 0;
  for (let at = 0; at < logarithms.length; at++) sum += Math.exp(logarithms[at] - largest);
  return largest + Math.log(sum);
}

/** ‖row‖² of each row, in float64. */
export function squaredNorms(rows: ArrayLike<number>, features: number): Float64Array {
  const norms = new Float64Array(rows.length / features);
  for (let at = 0; at < rows.length; at++) norms[Math.floor(at / features)] += rows[at] ** 2;
  return norms;
}
