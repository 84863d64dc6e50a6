/** Sine of the largest angle between a query and its key that rounding may explain. */
const LARGEST_SINE = 1e-6;

/** The first row whose key is not its query times a number of at least 0; undefined if there is none. */
export function firstApart(query: Float32Array, key: Float32Array, width: number): number | undefined {
  for (let row = 0; row * width < query.length; row++) {
    let product = 0, ofQuery = 0, ofKey = 0;
    for (let at = row * width; at < (row + 1) * width; at++) {
      product += query[at] * key[at];
      ofQuery += query[at] * query[at];
      ofKey += key[at] * key[at];
    }
    const factor = ofQuery > 0 ? product / ofQuery : 0;
    let apart = 0;
    for (let at = row * width; at < (row + 1) * width; at++) apart += (key[at] - factor * query[at]) ** 2;
    if (factor < 0 || apart > LARGEST_SINE ** 2 * ofKey) return row;
  }
  return undefined;
}

/** Rows at length 1, as Reformer's keys are made of its queries; rows of zeros stay what they are. */
export function unitRows(rows: Float32Array, width: number): Float32Array {
  const units = new Float32Array(rows.length);
  for (let first = 0; first < rows.length; first += width) {
    let square = 0;
    for (let at = first; at < first + width; at++) square += rows[at] * rows[at];
    if (square === 0) continue;
    for (let at = first; at < first + width; at++) units[at] = rows[at] / Math.sqrt(square);
  }
  return units;
}
