// deno-fmt-ignore-file: AssemblyScript
import { TREE_GROUP } from "../../constants";
import { LOOKS_TOGETHER } from "../engine/layout";
import { exponential } from "./exponential";
import { logarithm } from "./logarithm";
import { squaredDistance } from "./row_sums";
import { multiplyAdd } from "./simd";
import { MASKED } from "./tile_softmax";

// Four centres at a time, one in each lane of a vector: scores of groups take as long as those of one.

function groupsOf(count: u32): u32 {
  return (count + TREE_GROUP - 1) / TREE_GROUP;
}

function blocksOf(picks: u32): u32 {
  return (picks + LOOKS_TOGETHER - 1) / LOOKS_TOGETHER;
}

// What the functions below share while some centres are worked on; every thread has globals of its own.
let groups: u32 = 0;
let width: u32 = 0;
/** [groups] vectors: masses, logarithms of shares but for the part of the queries, sums of squares of shares; [LOOKS_TOGETHER, groups]: shares of queries. */
let masses: usize = 0;
let logShares: usize = 0;
let squares: usize = 0;
let shares: usize = 0;
/** [groups, width] vectors: mean rows. */
let means: usize = 0;
/** [picks, width] vectors, filled up with queries that are their centres. */
let looks: usize = 0;
/** [groups + 1]: where groups begin, and the number of keys. */
let starts: usize = 0;

/**
 * Multiplies weights of keys by how much queries of their centres look at the groups that they are in.
 *
 * @param weights [count] vectors
 * @param rows [count, columns]
 * @param offsets [picks, columns] of the first centre
 * @param second Bytes to those of the second centre, or of the first again, and so on
 */
export function shareGroups(
  weights: usize, rows: usize, cuts: usize, count: u32, columns: u32,
  offsets: usize, second: usize, third: usize, fourth: usize, picks: u32, scratch: usize,
): void {
  groups = groupsOf(count);
  width = columns;
  const line = <usize>groups << 4;
  masses = scratch;
  logShares = masses + line;
  squares = logShares + line;
  shares = squares + line;
  means = shares + LOOKS_TOGETHER * line;
  looks = means + line * width;
  starts = looks + ((<usize>blocksOf(picks) * LOOKS_TOGETHER * width) << 4);
  findGroups(cuts, count);
  for (let group: u32 = 0; group < groups; ++group) measureGroup(group, weights, rows);
  const numbers = <usize>picks * width, all = <usize>blocksOf(picks) * LOOKS_TOGETHER * width;
  for (let i: usize = 0; i < numbers; ++i) {
    const at = offsets + (i << 2);
    let look = v128.load32_splat(at);
    look = v128.load32_lane(at + second, look, 1);
    look = v128.load32_lane(at + third, look, 2);
    v128.store(looks + (i << 4), v128.load32_lane(at + fourth, look, 3));
  }
  memory.fill(looks + (numbers << 4), 0, all - numbers << 4);
  for (let pick: u32 = 0; pick < picks; pick += LOOKS_TOGETHER) look(pick, min<u32>(LOOKS_TOGETHER, picks - pick));
  const none = f32x4.splat(0), asked = f32x4.splat(<f32>(picks + 1));
  for (let group: u32 = 0; group < groups; ++group) {
    const at = <usize>group << 4, mass = v128.load(masses + at), share = f32x4.sqrt(f32x4.div(v128.load(squares + at), asked));
    const factor = v128.and(f32x4.div(share, mass), f32x4.gt(mass, none)), end = endOf(group);
    for (let key = startOf(group); key < end; ++key) {
      const to = weights + (<usize>key << 4);
      v128.store(to, f32x4.mul(v128.load(to), factor));
    }
  }
}

/** Where groups begin: at 0, and where the largest node is cut of each further run of positions. */
function findGroups(cuts: usize, count: u32): void {
  store<u32>(starts, 0);
  for (let group: u32 = 1; group < groups; ++group) {
    let largest: u32 = 0, start: u32 = 0;
    for (let cut = group * TREE_GROUP; cut < min<u32>(count, (group + 1) * TREE_GROUP); ++cut) {
      const node = cuts + (<usize>cut << 4), size = load<u32>(node, 4) - load<u32>(node);
      if (size <= largest) continue;
      largest = size;
      start = cut;
    }
    store<u32>(starts + (<usize>group << 2), start);
  }
  store<u32>(starts + (<usize>groups << 2), count);
}

function startOf(group: u32): u32 {
  return load<u32>(starts + (<usize>group << 2));
}

function endOf(group: u32): u32 {
  return load<u32>(starts + (<usize>group << 2), 4);
}

/**
 * Mass, mean and logarithm of the share of a group; what no centre sees has a mean of 0. Distances of keys from the first of the group are those of all
 * centres: the scatter is what they leave beside that of the mean.
 */
function measureGroup(group: u32, weights: usize, rows: usize): void {
  const begin = startOf(group), end = endOf(group), stride = <usize>width << 2, none = f32x4.splat(0);
  const mean = means + ((<usize>group * width) << 4), at = <usize>group << 4;
  const first = rows + <usize>begin * stride, last = rows + <usize>end * stride, ownWeights = weights + (<usize>begin << 4);
  let mass = none, scatter = none;
  for (let x = first, w = ownWeights; x < last; x += stride, w += 16) {
    const own = v128.load(w);
    mass = f32x4.add(mass, own);
    scatter = multiplyAdd(own, f32x4.splat(squaredDistance(x, first, stride)), scatter);
  }
  const isSeen = f32x4.gt(mass, none), one = v128.and(f32x4.div(f32x4.splat(1), mass), isSeen);
  let column: usize = 0, moved = none;
  for (; column + 16 <= stride; column += 16) {
    let a = none, b = none, c = none, d = none;
    for (let x = first + column, w = ownWeights; x < last; x += stride, w += 16) {
      const own = v128.load(w);
      a = multiplyAdd(v128.load32_splat(x), own, a);
      b = multiplyAdd(v128.load32_splat(x, 4), own, b);
      c = multiplyAdd(v128.load32_splat(x, 8), own, c);
      d = multiplyAdd(v128.load32_splat(x, 12), own, d);
    }
    moved = addColumn(mean + (column << 2), a, one, first + column, moved);
    moved = addColumn(mean + (column << 2) + 16, b, one, first + column + 4, moved);
    moved = addColumn(mean + (column << 2) + 32, c, one, first + column + 8, moved);
    moved = addColumn(mean + (column << 2) + 48, d, one, first + column + 12, moved);
  }
  for (; column < stride; column += 4) {
    let a = none;
    for (let x = first + column, w = ownWeights; x < last; x += stride, w += 16) {
      a = multiplyAdd(v128.load32_splat(x), v128.load(w), a);
    }
    moved = addColumn(mean + (column << 2), a, one, first + column, moved);
  }
  const variance = f32x4.max(none, f32x4.sub(f32x4.mul(scatter, one), moved));
  v128.store(masses + at, mass);
  v128.store(squares + at, f32x4.mul(mass, mass));
  const logShare = f32x4.add(logarithms(mass), f32x4.mul(variance, f32x4.splat(0.5)));
  v128.store(logShares + at, v128.bitselect(logShare, f32x4.splat(<f32>MASKED), isSeen));
}

/** Stores the mean of a column from its weighted sum; adds the square of what it is off from the first key to others. */
@inline
function addColumn(to: usize, sum: v128, one: v128, first: usize, others: v128): v128 {
  const mean = f32x4.mul(sum, one), off = f32x4.sub(mean, v128.load32_splat(first));
  v128.store(to, mean);
  return multiplyAdd(off, off, others);
}

/** Logarithms of four numbers, of those that are above 0. */
function logarithms(values: v128): v128 {
  const a = <f32>logarithm(<f64>f32x4.extract_lane(values, 0)), b = <f32>logarithm(<f64>f32x4.extract_lane(values, 1));
  const c = <f32>logarithm(<f64>f32x4.extract_lane(values, 2)), d = <f32>logarithm(<f64>f32x4.extract_lane(values, 3));
  return f32x4.replace_lane(f32x4.replace_lane(f32x4.replace_lane(f32x4.splat(a), 1, b), 2, c), 3, d);
}

/** Adds the squares of the shares with which queries look at groups: `asked` of them, from one on. */
function look(pick: u32, asked: u32): void {
  const line = <usize>groups << 4, next = <usize>width << 4, ask = looks + pick * next, lowest = f32x4.splat(<f32>MASKED);
  let mostA = lowest, mostB = lowest, mostC = lowest, mostD = lowest;
  for (let group: usize = 0, mean = means; group < line; group += 16) {
    let a = v128.load(logShares + group), b = a, c = a, d = a;
    for (let at: usize = 0; at < next; at += 16, mean += 16) {
      const x = v128.load(mean), from = ask + at;
      a = multiplyAdd(x, v128.load(from), a);
      b = multiplyAdd(x, v128.load(from + next), b);
      c = multiplyAdd(x, v128.load(from + 2 * next), c);
      d = multiplyAdd(x, v128.load(from + 3 * next), d);
    }
    const to = shares + group;
    v128.store(to, a);
    v128.store(to + line, b);
    v128.store(to + 2 * line, c);
    v128.store(to + 3 * line, d);
    mostA = f32x4.pmax(mostA, a);
    mostB = f32x4.pmax(mostB, b);
    mostC = f32x4.pmax(mostC, c);
    mostD = f32x4.pmax(mostD, d);
  }
  addSquares(shares, mostA);
  if (asked > 1) addSquares(shares + line, mostB);
  if (asked > 2) addSquares(shares + 2 * line, mostC);
  if (asked > 3) addSquares(shares + 3 * line, mostD);
}

/** Softmax of a line of logits, whose squares are added to those of others. */
function addSquares(logits: usize, largest: v128): void {
  const line = <usize>groups << 4;
  let even = f32x4.splat(0), odd = even;
  for (let group: usize = 0; group < line; group += 16) {
    const share = exponential(f32x4.sub(v128.load(logits + group), largest));
    v128.store(logits + group, share);
    // Two chains: of many terms half as long ones err by less.
    if (group & 16) odd = f32x4.add(odd, share);
    else even = f32x4.add(even, share);
  }
  const one = f32x4.div(f32x4.splat(1), f32x4.add(even, odd));
  for (let group: usize = 0; group < line; group += 16) {
    const share = f32x4.mul(v128.load(logits + group), one), to = squares + group;
    v128.store(to, multiplyAdd(share, share, v128.load(to)));
  }
}
