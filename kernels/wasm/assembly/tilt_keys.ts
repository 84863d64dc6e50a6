// deno-fmt-ignore-file: AssemblyScript
import { TREE_BUNDLE } from "../../constants";
import { LANE_CENTRES } from "../engine/layout";
import { shareGroups } from "./share_groups";
import { multiplyAdd } from "./simd";
import { squaredDistance } from "./row_sums";
import { MASKED } from "./tile_softmax";
import { weigh } from "./weigh_keys";

@unmanaged
class TiltArguments {
  logits: usize;
  /** [heads, count, width], in the order of the tree. */
  rows: usize;
  cuts: usize;
  /** Rows of the keys before the tree, and how many of these each centre sees; 0 where it sees all. */
  order: usize;
  ends: usize;
  /** Offsets of `picks` queries of each centre; 0 where gains are of the weights of the centre alone. */
  offsets: usize;
  weights: usize;
  logMass: usize;
  gains: usize;
  heads: u32;
  centres: u32;
  count: u32;
  width: u32;
  picks: u32;
}

// Centres go through the tree together, one in each lane of a vector; lanes without one repeat the first. What the functions below share while some are
// worked on; every thread has globals of its own.
let width: u32 = 0;
let stride: usize = 0;
let rows: usize = 0;
let cuts: usize = 0;
/** Centres that are worked on, and bytes from a number of the first, in arrays of a line for each, to those of the second, third and fourth. */
let centres: u32 = 0;
let second: usize = 0;
let third: usize = 0;
let fourth: usize = 0;
/** [count] vectors: weights of the keys, or by how much queries look at them. */
let weights: usize = 0;
/** [count] vectors: what cutting before a position gains, not yet limited. */
let gains: usize = 0;
/** Nodes that wait, and moments of finished nodes whose sibling is not: masses, scatters, then weighted sums of the rows, column by column. */
let waiting: usize = 0;
let moments: usize = 0;
let momentBytes: usize = 0;
const SCATTERS: usize = 16;
const SUMS: usize = 32;

/** Weights of all keys for some centres, and what cutting the nodes of their tree gains. */
export function tiltKeysTask(operation: usize, task: u32, scratch: usize): void {
  const args = changetype<TiltArguments>(operation), count = args.count, lanes = <u32>LANE_CENTRES;
  const parts = (args.centres + lanes - 1) / lanes, head = task / parts;
  const first = (task % parts) * lanes, line = <usize>head * args.centres + first;
  width = args.width;
  stride = <usize>width << 2;
  rows = args.rows + <usize>head * count * stride;
  cuts = args.cuts + ((<usize>head * count) << 4);
  centres = min<u32>(lanes, args.centres - first);
  const lineBytes = <usize>count << 2;
  second = centres > 1 ? lineBytes : 0;
  third = centres > 2 ? 2 * lineBytes : 0;
  fourth = centres > 3 ? 3 * lineBytes : 0;
  momentBytes = SUMS + (stride << 2);
  weights = scratch;
  gains = weights + (<usize>count << 4);
  waiting = gains + (<usize>count << 4);
  moments = waiting + 16 * (<usize>count + 2);
  const softmaxes = args.weights + line * lineBytes, limited = args.gains + line * lineBytes;
  for (let i: u32 = 0; i < centres; ++i) {
    const own = softmaxes + i * lineBytes;
    let logits = args.logits + (line + i) * lineBytes;
    if (args.ends) {
      const order = args.order + <usize>head * lineBytes;
      hideFrom(load<u32>(args.ends + ((line + i) << 2)), order, logits, own, count);
      logits = own;
    }
    const logMass = weigh(logits, own, count);
    store<f32>(args.logMass + ((line + i) << 2), logMass);
    store<f32>(limited + i * lineBytes, 0);
  }
  const root = load<u32>(cuts, 8);
  if (root === 0) return;
  for (let key: usize = 0, to = weights; key < lineBytes; key += 4, to += 16) v128.store(to, lanesAt(softmaxes + key));
  if (args.offsets) {
    const step = args.picks * stride, offsets = args.offsets + line * step;
    const next = centres > 1 ? step : 0, further = centres > 2 ? 2 * step : 0, last = centres > 3 ? 3 * step : 0;
    shareGroups(weights, rows, cuts, count, width, offsets, next, further, last, args.picks, waiting);
  }
  sumNodes(root, count);
  limitGains(root, limited);
}

/** Copies logits, but for those of the keys from `end` on, which are masked. */
function hideFrom(end: u32, order: usize, logits: usize, to: usize, count: u32): void {
  const masked = f32x4.splat(<f32>MASKED), beyond = i32x4.splat(end);
  let left = count;
  for (; left >= 4; left -= 4, order += 16, logits += 16, to += 16) {
    v128.store(to, v128.bitselect(v128.load(logits), masked, i32x4.lt_u(v128.load(order), beyond)));
  }
  for (; left > 0; --left, order += 4, logits += 4, to += 4) {
    store<f32>(to, load<u32>(order) < end ? load<f32>(logits) : <f32>MASKED);
  }
}

/** A node that waits: [begin, end), its cut, and 1 once its sides are done. */
function pushNode(depth: u32, begin: u32, end: u32, cut: u32, done: u32): void {
  const at = waiting + (<usize>depth << 4);
  store<u32>(at, begin);
  store<u32>(at, end, 4);
  store<u32>(at, cut, 8);
  store<u32>(at, done, 12);
}

/** Scatters of all nodes, sides before wholes, the larger side first: then few moments wait at a time. */
function sumNodes(root: u32, count: u32): void {
  let depth: u32 = 0, top = moments - momentBytes;
  pushNode(depth++, 0, count, root, 0);
  while (depth > 0) {
    const node = waiting + (<usize>(--depth) << 4);
    const begin = load<u32>(node), end = load<u32>(node, 4), cut = load<u32>(node, 8);
    if (end - begin <= <u32>TREE_BUNDLE) {
      top += momentBytes;
      sumBundle(top, begin, end);
      if (cut) v128.store(gains + (<usize>cut << 4), v128.load(top, SCATTERS));
    } else if (load<u32>(node, 12)) {
      top -= momentBytes;
      merge(top, top + momentBytes);
      v128.store(gains + (<usize>cut << 4), v128.load(top, SCATTERS));
    } else {
      const left = load<u32>(cuts + (<usize>cut << 4), 8), right = load<u32>(cuts + (<usize>cut << 4), 12);
      pushNode(depth++, begin, end, cut, 1);
      if (cut - begin < end - cut) {
        pushNode(depth++, begin, cut, left, 0);
        pushNode(depth++, cut, end, right, 0);
      } else {
        pushNode(depth++, cut, end, right, 0);
        pushNode(depth++, begin, cut, left, 0);
      }
    }
  }
}

/** What the centres have of a number that the first has here. */
@inline
function lanesAt(at: usize): v128 {
  let w = v128.load32_splat(at);
  w = v128.load32_lane(at + second, w, 1);
  w = v128.load32_lane(at + third, w, 2);
  return v128.load32_lane(at + fourth, w, 3);
}

@inline
function weightsOf(key: u32): v128 {
  return v128.load(weights + (<usize>key << 4));
}

@inline
function distanceOf(row: usize, other: usize): v128 {
  return f32x4.splat(squaredDistance(row, other, stride));
}

/** Moments of at most four rows; their scatter is Σ w w′ ‖y − y′‖² over pairs, by the mass. */
function sumBundle(to: usize, begin: u32, end: u32): void {
  const size = end - begin, none = f32x4.splat(0);
  const a = rows + <usize>begin * stride, w = weightsOf(begin);
  const b = size > 1 ? a + stride : a, c = size > 2 ? b + stride : a, d = size > 3 ? c + stride : a;
  const x = size > 1 ? weightsOf(begin + 1) : none, y = size > 2 ? weightsOf(begin + 2) : none;
  const z = size > 3 ? weightsOf(begin + 3) : none;
  for (let at: usize = 0, sum = to + SUMS; at < stride; at += 4, sum += 16) {
    let column = f32x4.mul(v128.load32_splat(a + at), w);
    column = multiplyAdd(v128.load32_splat(b + at), x, column);
    column = multiplyAdd(v128.load32_splat(c + at), y, column);
    v128.store(sum, multiplyAdd(v128.load32_splat(d + at), z, column));
  }
  const mass = f32x4.add(f32x4.add(w, x), f32x4.add(y, z));
  let scatter = none;
  if (size > 1) scatter = f32x4.mul(f32x4.mul(w, x), distanceOf(a, b));
  if (size > 2) {
    const others = multiplyAdd(x, distanceOf(b, c), f32x4.mul(w, distanceOf(a, c)));
    scatter = multiplyAdd(y, others, scatter);
  }
  if (size > 3) {
    const others = multiplyAdd(x, distanceOf(b, d), f32x4.mul(w, distanceOf(a, d)));
    scatter = multiplyAdd(z, multiplyAdd(y, distanceOf(c, d), others), scatter);
  }
  v128.store(to, mass);
  v128.store(to, whereSeen(f32x4.div(scatter, mass), mass), SCATTERS);
}

/** Values for centres that see any of a node; 0 for the others. */
@inline
function whereSeen(values: v128, mass: v128): v128 {
  return v128.and(values, f32x4.gt(mass, f32x4.splat(0)));
}

/** Adds the moments of the rows beside them (Chan, Golub and LeVeque 1979); sums of what has no mass are 0. */
function merge(to: usize, other: usize): void {
  const mass = v128.load(to), more = v128.load(other), total = f32x4.add(mass, more), one = f32x4.splat(1);
  const factor = whereSeen(f32x4.div(one, mass), mass), otherFactor = whereSeen(f32x4.div(f32x4.neg(one), more), more);
  let even = f32x4.splat(0), odd = even, at = to + SUMS;
  const distance = other - to, end = at + (stride << 2);
  for (; at + 32 <= end; at += 32) {
    const a = v128.load(at), b = v128.load(at + distance), c = v128.load(at, 16), d = v128.load(at + distance, 16);
    const first = multiplyAdd(b, otherFactor, f32x4.mul(a, factor));
    const next = multiplyAdd(d, otherFactor, f32x4.mul(c, factor));
    even = multiplyAdd(first, first, even);
    odd = multiplyAdd(next, next, odd);
    v128.store(at, f32x4.add(a, b));
    v128.store(at, f32x4.add(c, d), 16);
  }
  if (at < end) {
    const a = v128.load(at), b = v128.load(at + distance);
    const first = multiplyAdd(b, otherFactor, f32x4.mul(a, factor));
    even = multiplyAdd(first, first, even);
    v128.store(at, f32x4.add(a, b));
  }
  const between = f32x4.mul(whereSeen(f32x4.div(f32x4.mul(mass, more), total), total), f32x4.add(even, odd));
  const scatter = f32x4.add(f32x4.add(v128.load(to, SCATTERS), v128.load(other, SCATTERS)), between);
  v128.store(to, total);
  v128.store(to, scatter, SCATTERS);
}

/** Lets no node gain more than its parent, from the whole downwards, and writes gains centre by centre. */
function limitGains(root: u32, to: usize): void {
  let depth: u32 = 0;
  pushNode(depth++, 0, 0, root, 0);
  while (depth > 0) {
    const node = waiting + (<usize>(--depth) << 4), cut = load<u32>(node, 8), parent = load<u32>(node, 12);
    const place = cuts + (<usize>cut << 4), begin = load<u32>(place), end = load<u32>(place, 4);
    const from = gains + (<usize>cut << 4);
    let gain = v128.load(from);
    if (parent) {
      gain = f32x4.pmin(v128.load(gains + (<usize>parent << 4)), gain);
      v128.store(from, gain);
    }
    if (end - begin <= <u32>TREE_BUNDLE) {
      for (let at = begin + 1; at < end; ++at) writeGains(to, at, gain);
      continue;
    }
    writeGains(to, cut, gain);
    for (let side: usize = 8; side <= 12; side += 4) {
      const next = load<u32>(place + side);
      if (next) pushNode(depth++, 0, 0, next, cut);
    }
  }
}

function writeGains(to: usize, cut: u32, gain: v128): void {
  const at = to + (<usize>cut << 2);
  v128.store32_lane(at, gain, 0);
  if (centres > 1) v128.store32_lane(at + second, gain, 1);
  if (centres > 2) v128.store32_lane(at + third, gain, 2);
  if (centres > 3) v128.store32_lane(at + fourth, gain, 3);
}
