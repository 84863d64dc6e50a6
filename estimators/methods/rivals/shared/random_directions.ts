import { Purpose, RandomStream } from "../../../../kernels/random.ts";

/** How random directions hang together; each by itself is standard normal, whatever is asked. */
export interface DirectionOptions {
  /** Directions at right angles to one another, as many at a time as there are columns; their lengths stay independent. */
  readonly orthogonal?: boolean;
  /** Directions in pairs w, −w. */
  readonly paired?: boolean;
}

/** Standard normal directions [count, width], one stream for each head. */
export function drawDirections(
  seed: number,
  head: number,
  count: number,
  width: number,
  { orthogonal = false, paired = false }: DirectionOptions = {},
): Float32Array {
  const stream = new RandomStream(seed, Purpose.features, head), own = paired ? Math.ceil(count / 2) : count;
  const drawn = orthogonal ? orthogonalRows(stream, own, width) : normalRows(stream, own, width);
  if (!paired) return Float32Array.from(drawn);
  return Float32Array.from({ length: count * width }, (_, at) => {
    const row = Math.floor(at / width), from = drawn[(row >> 1) * width + at % width];
    return row % 2 === 1 ? -from : from;
  });
}

function normalRows(stream: RandomStream, count: number, width: number): Float64Array {
  return Float64Array.from({ length: count * width }, () => stream.normal());
}

/** Normal rows made orthogonal in groups of `width` (Gram and Schmidt, twice), with lengths of other normal rows. */
function orthogonalRows(stream: RandomStream, count: number, width: number): Float64Array {
  const rows = normalRows(stream, count, width);
  for (let row = 0; row < count; row++) {
    const own = rows.subarray(row * width, (row + 1) * width), group = row - row % width;
    for (let pass = 0; pass < 2; pass++) {
      for (let other = group; other < row; other++) {
        const to = rows.subarray(other * width, (other + 1) * width), share = dot(own, to) / dot(to, to);
        for (let c = 0; c < width; c++) own[c] -= share * to[c];
      }
    }
  }
  const lengths = normalRows(stream, count, width);
  for (let row = 0; row < count; row++) {
    const own = rows.subarray(row * width, (row + 1) * width);
    const like = lengths.subarray(row * width, (row + 1) * width),
      factor = Math.sqrt(dot(like, like) / dot(own, own));
    for (let c = 0; c < width; c++) own[c] *= factor;
  }
  return rows;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let c = 0; c < a.length; c++) sum += a[c] * b[c];
  return sum;
}
