/** Relative error from which a fit counts as useless. */
const USELESS = 0.5;

/**
 * The factor in [0, 1] for predictions of centred outputs [rows, width], judged on rows that had no part in the
 * fit: 1 unless they err by more than half. Otherwise the least-squares factor towards the mean value, the least
 * over leaving out one row at a time, so that no single row speaks for a fit that fails on the others.
 */
export function shrinkUseless(predicted: Float64Array, exact: Float64Array, width: number): number {
  const rows = width > 0 ? exact.length / width : 0;
  const cross = new Float64Array(rows), square = new Float64Array(rows);
  let wrong = 0, target = 0, allCross = 0, allSquare = 0;
  for (let i = 0, at = 0; i < rows; i++) {
    for (let c = 0; c < width; c++, at++) {
      cross[i] += predicted[at] * exact[at];
      square[i] += predicted[at] ** 2;
      wrong += (predicted[at] - exact[at]) ** 2;
      target += exact[at] ** 2;
    }
    allCross += cross[i];
    allSquare += square[i];
  }
  if (!(wrong > USELESS ** 2 * target)) return 1;
  let factor = 1;
  for (let i = 0; i < rows; i++) {
    const others = allSquare - square[i];
    factor = Math.min(factor, others > 0 ? (allCross - cross[i]) / others : 0);
  }
  return Math.max(0, factor);
}
