import type { RandomStream } from "../../../kernels/random.ts";

/**
 * Probabilities of Algorithm 1: half the share of the squared column norm and half the share of ‖v‖²; a share of nothing
 * is even.
 *
 * @param logColumnNorms [keys]: ln of the squared column norms.
 * @param valueNorms [keys]: ‖v‖².
 */
export function keyProbabilities(logColumnNorms: Float64Array, valueNorms: Float64Array): Float64Array {
  const keys = valueNorms.length;
  const largest = logColumnNorms.reduce((a, b) => Math.max(a, b), -Infinity);
  const column = logColumnNorms.map((log) => largest > -Infinity ? Math.exp(log - largest) : 1);
  const columnTotal = column.reduce((a, b) => a + b, 0), valueTotal = valueNorms.reduce((a, b) => a + b, 0);
  return column.map((norm, l) =>
    norm / columnTotal / 2 + (valueTotal > 0 ? valueNorms[l] / valueTotal : 1 / keys) / 2
  );
}

/**
 * Independent draws, as Algorithm 1 makes them; a key drawn c times is kept once, with c times the weight 1/(m p).
 *
 * @param probabilities [keys], summing to about 1.
 */
export function drawKeys(
  probabilities: Float64Array,
  samples: number,
  stream: RandomStream,
): { index: Uint32Array; logWeights: Float32Array } {
  const cumulative = new Float64Array(probabilities.length);
  let total = 0;
  probabilities.forEach((probability, key) => cumulative[key] = total += probability);
  const drawn = new Map<number, number>();
  for (let draw = 0; draw < samples; draw++) {
    const key = firstAbove(cumulative, stream.uniform() * total);
    drawn.set(key, 1 + (drawn.get(key) ?? 0));
  }
  const index = Uint32Array.from([...drawn.keys()].sort((a, b) => a - b));
  const logWeights = Float32Array.from(
    index,
    (key) => Math.log(drawn.get(key)! / (samples * (probabilities[key] / total))),
  );
  return { index, logWeights };
}

/** First index whose value is above x, the last one if none is. */
function firstAbove(ascending: Float64Array, x: number): number {
  let low = 0, high = ascending.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ascending[middle] > x) high = middle;
    else low = middle + 1;
  }
  return low;
}
