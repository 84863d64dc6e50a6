// deno-fmt-ignore-file: AssemblyScript
import { CHUNK_ROWS } from "../layout";
import { copyFloats, multiplyAdd, sumOfLanes, upToFour } from "./simd";

/** Twins of PIVOT_CANDIDATES, CUT_SAMPLE and NEGLIGIBLE_SCATTER in `coreset_primitives.ts`. */
const PIVOT_CANDIDATES: u32 = 16;
const CUT_SAMPLE: u32 = 96;
const NEGLIGIBLE_SCATTER: f64 = 1.0 / 1048576.0;

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
  /** Each how many-th row the tree grows on. */
  every: u32;
}

/**
 * A cluster: its first place in the order, its length, its scatter; the first cut of it, and the cut that came after the one
 * that made it and cut the same cluster, where 0 is none: a cut has the number of the cluster that it makes. From
 * NODE_HEADER on its mean, and normal and origin of the hyperplane that made it.
 */
@unmanaged
class Node {
  start: u32;
  length: u32;
  scatter: f64;
  firstCut: u32;
  nextCut: u32;
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

/** The rows of a head. */
@inline
function enterHead(args: BisectArguments, head: u32): void {
  width = args.width;
  stride = <usize>width << 2;
  vectorBytes = <usize>upToFour(width) << 2;
  rows = args.rows + head * args.count * stride;
}

/** The whole tree of one head, and the labels of the rows that it grows on. */
export function bisectRowsTask(operation: usize, head: u32, scratch: usize): void {
  const args = changetype<BisectArguments>(operation);
  const count = args.count, every = args.every, perHead = <usize>count << 2;
  const grown = (count + every - 1) / every, grownBytes = <usize>grown << 2;
  enterHead(args, head);
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

  for (let i: u32 = 0; i < grown; ++i) store<u32>(order + (<usize>i << 2), i * every);
  meanOf(centre, order, grown);
  for (let row: u32 = 0; row < count; row += every) {
    const at = <usize>row << 2;
    store<f32>(moments + at, load<f32>(weights + at) * squaredDistance(rows + row * stride, centre));
  }
  const root = changetype<Node>(nodes);
  root.firstCut = 0;
  measure(root, 0, grown);

  const negligible = NEGLIGIBLE_SCATTER * root.scatter;
  let clusters: u32 = 1;
  let products: u64 = 0;
  for (;;) {
    const widest = changetype<Node>(nodes + widestOf(nodes, clusters) * nodeBytes());
    const length = widest.length;
    const cost = <u64>length * every + stridedCount(length, CUT_SAMPLE) + stridedCount(length, PIVOT_CANDIDATES);
    const after = products + cost + <u64>(clusters + 1) * args.perCluster;
    if (!(widest.scatter > negligible) || after > args.budget) break;
    products += cost;
    if (cutInTwo(widest, changetype<Node>(nodes + clusters * nodeBytes()))) {
      note(nodes, widest, clusters);
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

/** Enters a cut as the last one of the cluster that it cuts. */
function note(nodes: usize, parent: Node, cut: u32): void {
  const made = changetype<Node>(nodes + cut * nodeBytes());
  made.firstCut = 0;
  made.nextCut = 0;
  if (parent.firstCut === 0) {
    parent.firstCut = cut;
    return;
  }
  let last = changetype<Node>(nodes + parent.firstCut * nodeBytes());
  while (last.nextCut !== 0) last = changetype<Node>(nodes + last.nextCut * nodeBytes());
  last.nextCut = cut;
}

/** The labels of those of a chunk of rows that the tree did not grow on. */
export function descendRowsTask(operation: usize, task: u32): void {
  const args = changetype<BisectArguments>(operation);
  const count = args.count, chunks = (count + CHUNK_ROWS - 1) / CHUNK_ROWS, head = task / chunks;
  const start = (task % chunks) * CHUNK_ROWS, end = min<u32>(count, start + CHUNK_ROWS);
  enterHead(args, head);
  const nodes = args.nodes + <usize>head * args.most * nodeBytes();
  const labels = args.labels + ((<usize>head * count) << 2);
  for (let row = start; row < end; ++row) {
    if (row % args.every === 0) continue;
    const x = rows + row * stride;
    let label: u32 = 0, cut = changetype<Node>(nodes).firstCut;
    while (cut !== 0) {
      const node = nodes + cut * nodeBytes();
      normal = node + NODE_HEADER + vectorBytes;
      origin = normal + vectorBytes;
      const isBeyond = sideOf(x) > 0;
      label = isBeyond ? cut : label;
      cut = isBeyond ? changetype<Node>(node).firstCut : changetype<Node>(node).nextCut;
    }
    store<u32>(labels + (<usize>row << 2), label);
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
  const sampled = stridedCount(length, CUT_SAMPLE), step = <usize>strideFor(length, CUT_SAMPLE) << 2;
  for (let i: u32 = 0; i < sampled; ++i) store<u32>(sample + (<usize>i << 2), load<u32>(members + i * step));
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
  let nearCount: u32 = 0, beyondCount: u32 = 0;
  for (let i: u32 = 0; i < length; ++i) {
    const row = load<u32>(list + (<usize>i << 2));
    const isBeyond = sideOf(rows + row * stride) > 0;
    // Both are written and one is kept: which side a row is on cannot be foretold.
    store<u32>(near + (<usize>nearCount << 2), row);
    store<u32>(beyond + (<usize>beyondCount << 2), row);
    nearCount += isBeyond ? 0 : 1;
    beyondCount += isBeyond ? 1 : 0;
  }
  return nearCount;
}

/** Of a few evenly strided members, the one with the largest weight · squared distance from the mean. */
function pivotOf(mean: usize, length: u32): u32 {
  let pivot: u32 = 0, most: f32 = -1;
  for (let i: u32 = 0; i < length; i += strideFor(length, PIVOT_CANDIDATES)) {
    const row = load<u32>(members + (<usize>i << 2)), x = rows + row * stride;
    const weighted = load<f32>(weights + (<usize>row << 2)) * squaredDistance(x, mean);
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
  let moment: f64 = 0, squared: f64 = 0;
  for (let i: usize = 0; i < <usize>length << 2; i += 4) {
    moment += load<f32>(moments + (<usize>load<u32>(first + i) << 2));
  }
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
  let total: f64 = 0;
  for (let i: usize = 0; i < <usize>length << 2; i += 4) {
    total += load<f32>(weights + (<usize>load<u32>(first + i) << 2));
  }
  sumRows(mean, first, length);
  const divisor = f32x4.splat(<f32>total);
  for (let at: usize = 0; at < vectorBytes; at += 16) v128.store(mean + at, f32x4.div(v128.load(mean + at), divisor));
  return total;
}

/** Weighted sum of some rows, 32 columns at a time so that the sums stay in registers. */
function sumRows(sums: usize, first: usize, length: u32): void {
  const end = first + (<usize>length << 2);
  let column: usize = 0;
  for (; column + 128 <= stride; column += 128) {
    let a = f32x4.splat(0), b = a, c = a, d = a, e = a, f = a, g = a, h = a;
    for (let i = first; i < end; i += 4) {
      const row = load<u32>(i), x = rows + row * stride + column;
      const w = v128.load_splat<f32>(weights + (<usize>row << 2));
      a = multiplyAdd(w, v128.load(x), a);
      b = multiplyAdd(w, v128.load(x, 16), b);
      c = multiplyAdd(w, v128.load(x, 32), c);
      d = multiplyAdd(w, v128.load(x, 48), d);
      e = multiplyAdd(w, v128.load(x, 64), e);
      f = multiplyAdd(w, v128.load(x, 80), f);
      g = multiplyAdd(w, v128.load(x, 96), g);
      h = multiplyAdd(w, v128.load(x, 112), h);
    }
    v128.store(sums + column, a);
    v128.store(sums + column, b, 16);
    v128.store(sums + column, c, 32);
    v128.store(sums + column, d, 48);
    v128.store(sums + column, e, 64);
    v128.store(sums + column, f, 80);
    v128.store(sums + column, g, 96);
    v128.store(sums + column, h, 112);
  }
  for (; column + 16 <= stride; column += 16) {
    let a = f32x4.splat(0);
    for (let i = first; i < end; i += 4) {
      const row = load<u32>(i);
      a = multiplyAdd(v128.load_splat<f32>(weights + (<usize>row << 2)), v128.load(rows + row * stride + column), a);
    }
    v128.store(sums + column, a);
  }
  for (; column < stride; column += 4) {
    let a: f32 = 0;
    for (let i = first; i < end; i += 4) {
      const row = load<u32>(i);
      a += load<f32>(weights + (<usize>row << 2)) * load<f32>(rows + row * stride + column);
    }
    store<f32>(sums + column, a);
  }
}

/**
 * <x − origin, normal>, four chains of sums. The difference comes first: a mean that one heavy row dominates lies
 * so close to it that rounded inner products could not tell them apart.
 */
function sideOf(x: usize): f32 {
  let a = f32x4.splat(0), b = a, c = a, d = a;
  let at: usize = 0;
  for (; at + 64 <= stride; at += 64) {
    a = multiplyAdd(difference(x, at), v128.load(normal + at), a);
    b = multiplyAdd(difference(x, at + 16), v128.load(normal + at, 16), b);
    c = multiplyAdd(difference(x, at + 32), v128.load(normal + at, 32), c);
    d = multiplyAdd(difference(x, at + 48), v128.load(normal + at, 48), d);
  }
  for (; at + 16 <= stride; at += 16) a = multiplyAdd(difference(x, at), v128.load(normal + at), a);
  let sum = sumOfLanes(f32x4.add(f32x4.add(a, b), f32x4.add(c, d)));
  for (; at < stride; at += 4) sum += (load<f32>(x + at) - load<f32>(origin + at)) * load<f32>(normal + at);
  return sum;
}

@inline
function difference(x: usize, at: usize): v128 {
  return f32x4.sub(v128.load(x + at), v128.load(origin + at));
}

/** ‖x − y‖² */
function squaredDistance(x: usize, y: usize): f32 {
  let lanes = f32x4.splat(0), at: usize = 0;
  for (; at + 16 <= stride; at += 16) {
    const difference = f32x4.sub(v128.load(x + at), v128.load(y + at));
    lanes = multiplyAdd(difference, difference, lanes);
  }
  let sum = sumOfLanes(lanes);
  for (; at < stride; at += 4) {
    const difference = load<f32>(x + at) - load<f32>(y + at);
    sum += difference * difference;
  }
  return sum;
}
