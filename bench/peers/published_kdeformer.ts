/**
 * What the authors' published code of KDEformer computes (github.com/majid-daliri/kdeformer), in float64: to compare
 * errors with, not times. It departs from that code in two ways, neither of which changes what it approximates: the
 * random numbers are our own, and softmax weights are stabilised by the largest logit of a row, where the original
 * overflows.
 */
import { Purpose, RandomStream } from "../../kernels/random.ts";
import { largestEigenvalue } from "../../estimators/linear_algebra/largest_eigenvalue.ts";
import type { AttentionInput } from "../../proofs_checks/inputs/family.ts";

/** Hyperplanes of its hash. */
const PROJECTIONS = 7;

/** Keys per block, and keys sampled for all queries. */
export interface PublishedBudget {
  readonly bucketSize: number;
  readonly samples: number;
}

/** Keys drawn with replacement: where they stand among the sorted keys, and 1/(m p) of each. */
export interface PublishedSamples {
  readonly positions: Uint32Array;
  readonly weights: Float64Array;
}

/**
 * Attention of one head: queries and keys sorted by hash and cut into as many equal blocks; a query attends to its
 * block of keys and, with weights 1/(m p), to those sampled keys that lie outside of it, under one softmax.
 *
 * @param stream Tells apart what one seed draws for several heads.
 * @returns [queries, valueFeatures]
 * @throws {RangeError} If blocks are not equal: the original takes only sizes that they divide.
 */
export function publishedKdeformer(
  { query, key, value, scale }: AttentionInput,
  { bucketSize, samples }: PublishedBudget,
  seed: number,
  stream = 0,
): Float32Array {
  const [, queries, features] = query.shape, [, keys, width] = value.shape, blocks = keys / bucketSize;
  if (!Number.isInteger(blocks) || queries % blocks !== 0) {
    throw new RangeError(
      `Cannot attend: blocks of ${bucketSize} keys must divide ${keys} keys and ${queries} queries`,
    );
  }
  const hash = new RandomStream(seed, Purpose.publishedHash, stream);
  const directions = Float64Array.from({ length: PROJECTIONS * features }, () => hash.normal());
  const queryOrder = hashOrder(query.data, queries, features, directions);
  const keyOrder = hashOrder(key.data, keys, features, directions);
  const drawn = drawSamples(
    value.data,
    keyOrder,
    width,
    samples,
    new RandomStream(seed, Purpose.publishedSamples, stream),
  );

  const output = new Float32Array(queries * width), perBlock = queries / blocks;
  const seen = new Uint32Array(bucketSize + samples), weights = new Float64Array(bucketSize + samples);
  for (let block = 0; block < blocks; block++) {
    let count = 0;
    const see = (position: number, weight: number) => {
      seen[count] = keyOrder[position];
      weights[count++] = weight;
    };
    for (let at = 0; at < bucketSize; at++) see(block * bucketSize + at, 1);
    drawn.positions.forEach((position, at) => {
      if (Math.floor(position / bucketSize) !== block) see(position, drawn.weights[at]);
    });
    for (let at = block * perBlock; at < (block + 1) * perBlock; at++) {
      const row = queryOrder[at], into = output.subarray(row * width, (row + 1) * width);
      attendRow(query.data.subarray(row * features, (row + 1) * features), key.data, value.data, scale, {
        seen: seen.subarray(0, count),
        weights,
      }, into);
    }
  }
  return output;
}

/**
 * Rows in the order of their hash: the signs of the projections as a number b, of which the Gray code b ^ (b >> 1) is
 * taken. That is the code applied forwards, as the original does it, and not its inverse, under which neighbouring
 * numbers would differ in one sign.
 */
function hashOrder(
  rows: Float32Array,
  count: number,
  features: number,
  directions: Float64Array,
): Uint32Array {
  const hashes = new Uint32Array(count);
  for (let row = 0; row < count; row++) {
    let signs = 0;
    for (let bit = 0; bit < PROJECTIONS; bit++) {
      let product = 0;
      for (let c = 0; c < features; c++) product += rows[row * features + c] * directions[bit * features + c];
      if (product > 0) signs |= 1 << bit;
    }
    hashes[row] = signs ^ (signs >> 1);
  }
  return Uint32Array.from(hashes.keys()).sort((a, b) => hashes[a] - hashes[b] || a - b);
}

/** Draws keys with replacement with p ∝ ‖[v, 1]‖/σ² + 1/n, σ the largest singular value of the values [V, 1]. */
export function drawSamples(
  value: Float32Array,
  keyOrder: Uint32Array,
  width: number,
  samples: number,
  random: RandomStream,
): PublishedSamples {
  const keys = keyOrder.length, columns = width + 1, row = new Float64Array(columns).fill(1);
  const gram = new Float64Array(columns * columns), norms = new Float64Array(keys);
  keyOrder.forEach((of, position) => {
    for (let c = 0; c < width; c++) row[c] = value[of * width + c];
    norms[position] = Math.sqrt(row.reduce((sum, x) => sum + x * x, 0));
    for (let a = 0; a < columns; a++) {
      for (let b = 0; b < columns; b++) gram[a * columns + b] += row[a] * row[b];
    }
  });
  const squared = largestEigenvalue(gram, columns), ends = new Float64Array(keys);
  let total = 0;
  norms.forEach((norm, position) => ends[position] = total += norm / squared + 1 / keys);
  const positions = Uint32Array.from({ length: samples }, () => {
    const mark = random.uniform() * total;
    let low = 0, high = keys - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (ends[middle] > mark) high = middle;
      else low = middle + 1;
    }
    return low;
  });
  const share = (position: number) => (ends[position] - (position > 0 ? ends[position - 1] : 0)) / total;
  return { positions, weights: Float64Array.from(positions, (position) => 1 / (samples * share(position))) };
}

/** Softmax attention of one query to weighted keys. */
function attendRow(
  query: Float32Array,
  key: Float32Array,
  value: Float32Array,
  scale: number,
  { seen, weights }: { readonly seen: Uint32Array; readonly weights: Float64Array },
  into: Float32Array,
): void {
  const features = query.length, width = into.length, sums = new Float64Array(width);
  const logits = Float64Array.from(seen, (of) => {
    let product = 0;
    for (let c = 0; c < features; c++) product += query[c] * key[of * features + c];
    return scale * product;
  });
  const largest = logits.reduce((most, logit) => Math.max(most, logit), -Infinity);
  let mass = 0;
  seen.forEach((of, at) => {
    const weight = weights[at] * Math.exp(logits[at] - largest);
    mass += weight;
    for (let c = 0; c < width; c++) sums[c] += weight * value[of * width + c];
  });
  for (let c = 0; c < width; c++) into[c] = sums[c] / mass;
}
