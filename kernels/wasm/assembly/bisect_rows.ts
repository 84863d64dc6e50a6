// deno-fmt-ignore-file: AssemblyScript
import { CUT_SAMPLE, NEGLIGIBLE_SCATTER, PIVOT_CANDIDATES } from "../../constants";
import { DESCENT_ROWS } from "../engine/layout";
import { memberOfPart } from "./member_of_part";
import { squaredDistance, sumOf, sumRows } from "./row_sums";
import { copyFloats, multiplyAdd, upToFour } from "./simd";

@unmanaged
class BisectArguments {
  rows: usize;
  weights: usize;
  labels: usize;
  clusters: usize;
  products: usize;
  /** [heads, grown] words: the rows that the tree grows on, those of a cluster side by side. */
  order: usize;
  /** [heads, count] floats: weight · squared distance from the mean of those rows. */
  moments: usize;
  /** [heads, most, NODE_HEADER + 3 · 4 · upToFour(width)] bytes. */
  nodes: usize;
  heads: u32;
  count: u32;
  width: u32;
  most: u32;
  budget: u32;
  perCluster: u32;
  /** Rows of a part, of which the tree grows on one. */
  every: u32;
}

/**
 * A cluster: its first place in the order, its length, its scatter, and the cluster that it was cut from. From NODE_HEADER on
 * its mean, and normal and origin of the hyperplane that made it.
 */
@unmanaged
class Node {
  start: u32;
  length: u32;
  scatter: f64;
  parent: u32;
}
const NODE_HEADER: usize = 32;

// What the functions below share while a head is worked on; every thread has globals of its own.
let rows: usize = 0;
let stride: usize = 0;
let width: u32 = 0;
/** Bytes of a vector in a node. */
let vectorBytes: usize = 0;
let weights: usize = 0;
let moments: usize = 0;
let order: usize = 0;
/** Members of the cluster that is being cut, in the order before the cut. */
let members: usize = 0;
/** Members on either side of the hyperplane. */
let near: usize = 0;
let beyond: usize = 0;
let normal: usize = 0;
let origin: usize = 0;
/** The sample that decides where to cut, and the mean of one of its halves. */
let sample: usize = 0;
let halfMean: usize = 0;
/** What the moments are about. */
let centre: usize = 0;

@inline
function nodeBytes(): usize {
  return NODE_HEADER + 3 * vectorBytes;
}

/** The `count` rows of `columns` of a head. */
@inline
function enterHead(all: usize, head: u32, count: u32, columns: u32): void {
  width = columns;
  stride = <usize>width << 2;
  vectorBytes = <usize>upToFour(width) << 2;
  rows = all + head * count * stride;
}

/** The whole tree of one head, and the labels of the rows that it grows on. */
export function bisectRowsTask(operation: usize, head: u32, scratch: usize): void {
  const args = changetype<BisectArguments>(operation);
  const count = args.count, every = args.every, perHead = <usize>count << 2;
  const grown = (count + every - 1) / every, grownBytes = <usize>grown << 2;
  enterHead(args.rows, head, count, args.width);
  weights = args.weights + head * perHead;
  moments = args.moments + head * perHead;
  order = args.order + head * grownBytes;
  members = scratch;
  near = members + grownBytes;
  beyond = near + grownBytes;
  halfMean = beyond + grownBytes;
  centre = halfMean + vectorBytes;
  sample = centre + vectorBytes;
  const nodes = args.nodes + <usize>head * args.most * nodeBytes();

  for (let i: u32 = 0; i < grown; ++i) store<u32>(order + (<usize>i << 2), memberOfPart(i, every, count));
  meanOf(centre, order, grown);
  for (let i: u32 = 0; i < grown; ++i) {
    const row = load<u32>(order + (<usize>i << 2)), at = <usize>row << 2;
    store<f32>(moments + at, load<f32>(weights + at) * squaredDistance(rows + row * stride, centre, stride));
  }
  const root = changetype<Node>(nodes);
  measure(root, 0, grown);

  const negligible = NEGLIGIBLE_SCATTER * root.scatter;
  let clusters: u32 = 1;
  let products: u64 = 0;
  for (;;) {
    const label = widestOf(nodes, clusters), widest = changetype<Node>(nodes + label * nodeBytes());
    const length = widest.length;
    const cost = <u64>length * every + stridedCount(length, CUT_SAMPLE) + stridedCount(length, PIVOT_CANDIDATES);
    const after = products + cost + <u64>(clusters + 1) * args.perCluster;
    if (!(widest.scatter > negligible) || after > args.budget) break;
    products += cost;
    const made = changetype<Node>(nodes + clusters * nodeBytes());
    if (cutInTwo(widest, made)) {
      made.parent = label;
      ++clusters;
    } else widest.scatter = 0;
  }
  for (let label: u32 = 0; label < clusters; ++label) {
    const node = changetype<Node>(nodes + label * nodeBytes());
    for (let place = node.start; place < node.start + node.length; ++place) {
      store<u32>(args.labels + head * perHead + (<usize>load<u32>(order + (<usize>place << 2)) << 2), label);
    }
  }
  store<u32>(args.clusters + (<usize>head << 2), clusters);
  store<u32>(args.products + (<usize>head << 2), <u32>products);
}

@unmanaged
class DescendArguments {
  /** [heads, count, width] */
  rows: usize;
  labels: usize;
  nodes: usize;
  /** [heads] words: nodes of each head. */
  clusters: usize;
  /** [heads, width], [heads] and [heads, width]: how rows are moved; 0 where they stay. */
  centre: usize;
  scale: usize;
  treeCentre: usize;
  count: u32;
  width: u32;
  most: u32;
  /** The tree grew on one of each so many rows, which have their labels; 0 where it grew on none of them. */
  every: u32;
}

/**
 * The labels of those of a chunk of rows that the tree did not grow on. All rows of a cluster pass a hyperplane
 * together: one by one they would wait at each for the product before.
 */
export function descendRowsTask(operation: usize, task: u32, scratch: usize): void {
  const args = changetype<DescendArguments>(operation);
  const count = args.count, chunks = (count + DESCENT_ROWS - 1) / DESCENT_ROWS, head = task / chunks, every = args.every;
  const start = (task % chunks) * DESCENT_ROWS, end = min<u32>(count, start + DESCENT_ROWS);
  enterHead(args.rows, head, count, args.width);
  const nodes = args.nodes + <usize>head * args.most * nodeBytes();
  const movedOrigin = scratch, list = movedOrigin + vectorBytes;
  near = list + (DESCENT_ROWS << 2);
  beyond = near + (DESCENT_ROWS << 2);
  /** Of each cluster, its first place in the list and its length. */
  const places = beyond + (DESCENT_ROWS << 2);
  let listed: u32 = 0;
  for (let row = start; row < end; ++row) {
    if (every && row === memberOfPart(row / every, every, count)) continue;
    store<u32>(list + (<usize>listed << 2), row);
    ++listed;
  }
  store<u32>(places, 0);
  store<u32>(places, listed, 4);
  const clusters = load<u32>(args.clusters + (<usize>head << 2));
  for (let cut: u32 = 1; cut < clusters; ++cut) {
    const node = nodes + cut * nodeBytes(), from = places + (<usize>changetype<Node>(node).parent << 3);
    const first = load<u32>(from), length = load<u32>(from, 4), members = list + (<usize>first << 2);
    normal = node + NODE_HEADER + vectorBytes;
    origin = normal + vectorBytes;
    if (args.centre && length > 0) {
      moveOrigin(args, head, movedOrigin);
      origin = movedOrigin;
    }
    const nearCount = separate(members, length), nearBytes = <usize>nearCount << 2;
    memory.copy(members, near, nearBytes);
    memory.copy(members + nearBytes, beyond, (<usize>length << 2) - nearBytes);
    store<u32>(from, nearCount, 4);
    const to = places + (<usize>cut << 3);
    store<u32>(to, first + nearCount);
    store<u32>(to, length - nearCount, 4);
  }
  const labels = args.labels + ((<usize>head * count) << 2);
  for (let label: u32 = 0; label < clusters; ++label) {
    const place = places + (<usize>label << 3), first = list + (<usize>load<u32>(place) << 2);
    for (let at: usize = 0; at < <usize>load<u32>(place, 4) << 2; at += 4) {
      store<u32>(labels + (<usize>load<u32>(first + at) << 2), label);
    }
  }
}

/** centre + (origin − treeCentre) / scale: rows are on the same side of it as moved rows are of the origin. */
function moveOrigin(args: DescendArguments, head: u32, moved: usize): void {
  const from = args.centre + head * stride, to = args.treeCentre + head * stride;
  const scale = load<f32>(args.scale + (<usize>head << 2));
  for (let at: usize = 0; at < stride; at += 4) {
    store<f32>(moved + at, load<f32>(from + at) + (load<f32>(origin + at) - load<f32>(to + at)) / scale);
  }
}

/** The first cluster with the largest scatter. */
function widestOf(nodes: usize, clusters: u32): u32 {
  let widest: u32 = 0, most = changetype<Node>(nodes).scatter;
  for (let label: u32 = 1; label < clusters; ++label) {
    const scatter = changetype<Node>(nodes + label * nodeBytes()).scatter;
    if (scatter > most) {
      most = scatter;
      widest = label;
    }
  }
  return widest;
}

/** Every how many-th of `length` members is taken so that they are at most `most`. */
@inline
function strideFor(length: u32, most: u32): u32 {
  return (length + most - 1) / most;
}

/** How many these are. */
function stridedCount(length: u32, most: u32): u32 {
  const step = strideFor(length, most);
  return (length + step - 1) / step;
}

/** Cuts `node` into itself and `other`; false, with nothing changed, if its rows cannot be told apart. */
function cutInTwo(node: Node, other: Node): bool {
  const start = node.start, length = node.length;
  const mean = changetype<usize>(node) + NODE_HEADER, places = order + (<usize>start << 2);
  memory.copy(members, places, <usize>length << 2);
  // The hyperplane of the sample lies where that of the cut will.
  normal = changetype<usize>(other) + NODE_HEADER + vectorBytes;
  origin = normal + vectorBytes;
  const pivot = rows + pivotOf(mean, length) * stride;
  for (let at: usize = 0; at < stride; at += 4) {
    store<f32>(normal + at, load<f32>(pivot + at) - load<f32>(mean + at));
  }
  copyFloats(origin, mean, width);
  const sampled = stridedCount(length, CUT_SAMPLE), every = strideFor(length, CUT_SAMPLE);
  for (let i: u32 = 0; i < sampled; ++i) store<u32>(sample + (<usize>i << 2), load<u32>(members + (<usize>memberOfPart(i, every, length) << 2)));
  const sampleNear = separate(sample, sampled);
  if (sampleNear === 0 || sampleNear === sampled) return false;
  meanOf(origin, near, sampleNear);
  meanOf(halfMean, beyond, sampled - sampleNear);
  // Whole vectors, what fills them up as well.
  const half = f32x4.splat(0.5);
  for (let at: usize = 0; at < vectorBytes; at += 16) {
    const a = v128.load(origin + at), b = v128.load(halfMean + at);
    v128.store(normal + at, f32x4.sub(b, a));
    v128.store(origin + at, f32x4.mul(f32x4.add(a, b), half));
  }
  const nearCount = separate(members, length);
  if (nearCount === 0 || nearCount === length) return false;
  const nearBytes = <usize>nearCount << 2;
  memory.copy(places, near, nearBytes);
  memory.copy(places + nearBytes, beyond, (<usize>length << 2) - nearBytes);
  measure(node, start, nearCount);
  measure(other, start + nearCount, length - nearCount);
  return true;
}

/** Sorts rows by the side of the hyperplane that they are on, into `near` and `beyond`; returns how many are near. */
function separate(list: usize, length: u32): u32 {
  const first = rows, bytes = stride, end = list + (<usize>length << 2), start = near;
  let nearest = near, farthest = beyond;
  for (; list < end; list += 8) {
    const row = load<u32>(list), other = list + 4 < end ? load<u32>(list, 4) : row;
    const sides = f32x4.gt(sidesOf(first + row * bytes, first + other * bytes), f32x4.splat(0));
    // Both are written and one is kept: which side a row is on cannot be foretold.
    let step: usize = i32x4.extract_lane(sides, 0) & 4;
    store<u32>(nearest, row);
    store<u32>(farthest, row);
    nearest += 4 - step;
    farthest += step;
    if (list + 4 === end) break;
    step = i32x4.extract_lane(sides, 1) & 4;
    store<u32>(nearest, other);
    store<u32>(farthest, other);
    nearest += 4 - step;
    farthest += step;
  }
  return <u32>((nearest - start) >> 2);
}

/** Of a few members, one of each part, the one with the largest weight · squared distance from the mean. */
function pivotOf(mean: usize, length: u32): u32 {
  let pivot: u32 = 0, most: f32 = -1;
  const candidates = stridedCount(length, PIVOT_CANDIDATES), every = strideFor(length, PIVOT_CANDIDATES);
  for (let i: u32 = 0; i < candidates; ++i) {
    const row = load<u32>(members + (<usize>memberOfPart(i, every, length) << 2)), x = rows + row * stride;
    const weighted = load<f32>(weights + (<usize>row << 2)) * squaredDistance(x, mean, stride);
    if (weighted > most) {
      most = weighted;
      pivot = row;
    }
  }
  return pivot;
}

/** Makes a cluster of `length` members from a place in the order on. */
function measure(node: Node, start: u32, length: u32): void {
  const mean = changetype<usize>(node) + NODE_HEADER, first = order + (<usize>start << 2);
  const total = meanOf(mean, first, length);
  let squared: f64 = 0;
  const moment = sumOf(moments, first, length);
  for (let at: usize = 0; at < stride; at += 4) {
    const difference = <f64>load<f32>(mean + at) - load<f32>(centre + at);
    squared += difference * difference;
  }
  node.start = start;
  node.length = length;
  // One row has no scatter, only rounding.
  node.scatter = length > 1 ? moment - total * squared : 0;
}

/** Weighted mean of some rows; returns the sum of their weights. */
function meanOf(mean: usize, first: usize, length: u32): f64 {
  const total = sumOf(weights, first, length);
  sumRows(mean, first, length, rows, stride, weights);
  const divisor = f32x4.splat(<f32>total);
  for (let at: usize = 0; at < vectorBytes; at += 16) v128.store(mean + at, f32x4.div(v128.load(mean + at), divisor));
  return total;
}

/**
 * <x − origin, normal> and <y − origin, normal> in the first two lanes: two rows share what is loaded of the hyperplane. The
 * difference comes first: a mean that one heavy row dominates lies so close to it that rounded inner products could not
 * tell them apart.
 */
@inline
function sidesOf(x: usize, y: usize): v128 {
  // Locals: globals are memory, read again for every load.
  const direction = normal, from = origin, bytes = stride;
  let a = f32x4.splat(0), b = a, c = a, d = a;
  let at: usize = 0;
  for (; at + 32 <= bytes; at += 32) {
    const first = v128.load(from + at), second = v128.load(from + at, 16);
    const along = v128.load(direction + at), on = v128.load(direction + at, 16);
    a = multiplyAdd(f32x4.sub(v128.load(x + at), first), along, a);
    b = multiplyAdd(f32x4.sub(v128.load(x + at, 16), second), on, b);
    c = multiplyAdd(f32x4.sub(v128.load(y + at), first), along, c);
    d = multiplyAdd(f32x4.sub(v128.load(y + at, 16), second), on, d);
  }
  for (; at + 16 <= bytes; at += 16) {
    const first = v128.load(from + at), along = v128.load(direction + at);
    a = multiplyAdd(f32x4.sub(v128.load(x + at), first), along, a);
    c = multiplyAdd(f32x4.sub(v128.load(y + at), first), along, c);
  }
  a = f32x4.add(a, b);
  c = f32x4.add(c, d);
  let sums = f32x4.add(i32x4.shuffle(a, c, 0, 4, 1, 5), i32x4.shuffle(a, c, 2, 6, 3, 7));
  sums = f32x4.add(sums, i32x4.shuffle(sums, sums, 2, 3, 0, 1));
  for (; at < bytes; at += 4) {
    const first = f32x4.splat(load<f32>(from + at));
    const both = f32x4.replace_lane(f32x4.splat(load<f32>(x + at)), 1, load<f32>(y + at));
    sums = multiplyAdd(f32x4.sub(both, first), f32x4.splat(load<f32>(direction + at)), sums);
  }
  return sums;
}
