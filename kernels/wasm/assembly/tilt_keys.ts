// deno-fmt-ignore-file: AssemblyScript
import { TREE_BUNDLE } from "../../constants";
import { findGroups, groupBytes, shareGroups } from "./share_groups";
import { addScaled } from "./simd";
import { squaredDistance } from "./squared_distance";
import { EMPTY, MASKED } from "./tile_softmax";
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
  /** Centres that go through the tree together, so that its rows are in the cache for all of them. */
  together: u32;
}

// What the functions below share while some centres are worked on; every thread has globals of its own.
let width: u32 = 0;
let stride: usize = 0;
let rows: usize = 0;
let cuts: usize = 0;
/** Centres that are worked on, and bytes from one to the next; their weights, those by which their queries look if these are known. */
let centres: u32 = 0;
let lineBytes: usize = 0;
let weights: usize = 0;
let gains: usize = 0;
/** Squared distances of the rows of a bundle, which are the same for all centres: of the first from each later one, then of the second. */
let pairs: usize = 0;
const PAIR_BYTES: usize = 32;
/** Nodes that wait, and moments of finished nodes whose sibling is not: mass, scatter, then the weighted sum of the rows. */
let waiting: usize = 0;
let moments: usize = 0;
let momentBytes: usize = 0;
const SUMS: usize = 16;

/** Weights of all keys for some centres, and what cutting the nodes of their tree gains. */
export function tiltKeysTask(operation: usize, task: u32, scratch: usize): void {
  const args = changetype<TiltArguments>(operation), count = args.count;
  const parts = (args.centres + args.together - 1) / args.together, head = task / parts;
  const first = (task % parts) * args.together, line = <usize>head * args.centres + first;
  width = args.width;
  stride = <usize>width << 2;
  rows = args.rows + <usize>head * count * stride;
  cuts = args.cuts + ((<usize>head * count) << 4);
  centres = min<u32>(args.together, args.centres - first);
  lineBytes = <usize>count << 2;
  weights = args.weights + line * lineBytes;
  gains = args.gains + line * lineBytes;
  momentBytes = SUMS + ((stride + 15) & ~15);
  pairs = scratch;
  const shared = pairs + PAIR_BYTES, groups = shared + (args.offsets ? args.together * lineBytes : 0);
  waiting = groups + (args.offsets ? groupBytes(count, width) : 0);
  moments = waiting + 16 * (<usize>count + 2);
  if (args.offsets) findGroups(groups, cuts, count);
  for (let i: u32 = 0; i < centres; ++i) {
    const own = weights + i * lineBytes;
    let logits = args.logits + (line + i) * lineBytes;
    if (args.ends) {
      const order = args.order + <usize>head * lineBytes;
      hideFrom(load<u32>(args.ends + ((line + i) << 2)), order, logits, own, count);
      logits = own;
    }
    const logMass = weigh(logits, own, count);
    store<f32>(args.logMass + ((line + i) << 2), logMass);
    store<f32>(gains + i * lineBytes, 0);
    if (args.offsets) {
      const offsets = args.offsets + (line + i) * args.picks * stride;
      if (logMass > EMPTY) shareGroups(shared + i * lineBytes, own, rows, groups, offsets, args.picks, count, width);
      else memory.fill(shared + i * lineBytes, 0, lineBytes);
    }
  }
  if (args.offsets) weights = shared;
  const root = load<u32>(cuts, 8);
  if (root === 0) return;
  sumNodes(root, count);
  limitGains(root);
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
  const allBytes = centres * momentBytes;
  let depth: u32 = 0, top = moments - allBytes;
  pushNode(depth++, 0, count, root, 0);
  while (depth > 0) {
    const node = waiting + (<usize>(--depth) << 4);
    const begin = load<u32>(node), end = load<u32>(node, 4), cut = load<u32>(node, 8);
    if (end - begin <= <u32>TREE_BUNDLE) {
      top += allBytes;
      measurePairs(begin, end);
      for (let i: u32 = 0; i < centres; ++i) {
        const own = top + i * momentBytes, line = gains + i * lineBytes;
        sumBundle(own, weights + i * lineBytes, begin, end);
        for (let at = begin + 1; at < end; ++at) store<f32>(line + (<usize>at << 2), load<f32>(own, 4));
      }
    } else if (load<u32>(node, 12)) {
      top -= allBytes;
      for (let i: u32 = 0; i < centres; ++i) {
        const own = top + i * momentBytes;
        merge(own, own + allBytes);
        store<f32>(gains + i * lineBytes + (<usize>cut << 2), load<f32>(own, 4));
      }
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

function measurePairs(begin: u32, end: u32): void {
  let to = pairs;
  for (let i = begin; i < end; ++i) {
    for (let j = i + 1; j < end; ++j, to += 4) {
      store<f32>(to, squaredDistance(rows + <usize>i * stride, 1, rows + <usize>j * stride, 1, width));
    }
  }
}

/** Moments of few rows; their scatter is Σ w w′ ‖y − y′‖² over pairs, by the mass. Sums stay what they were where the mass is 0. */
function sumBundle(to: usize, weights: usize, begin: u32, end: u32): void {
  const sums = to + SUMS;
  let mass: f32 = 0, rowsSeen: u32 = 0;
  for (let j = begin; j < end; ++j) {
    const w = load<f32>(weights + (<usize>j << 2)), row = rows + <usize>j * stride;
    if (w === 0) continue;
    if (mass === 0) scaleRow(sums, row, w);
    else addScaled(sums, row, w, width);
    mass += w;
    ++rowsSeen;
  }
  let scatter: f32 = 0;
  if (rowsSeen > 1) {
    let pair = pairs;
    for (let i = begin; i < end; ++i) {
      const w = load<f32>(weights + (<usize>i << 2));
      let others: f32 = 0;
      for (let j = i + 1; j < end; ++j, pair += 4) others += load<f32>(weights + (<usize>j << 2)) * load<f32>(pair);
      scatter += w * others;
    }
    scatter /= mass;
  }
  store<f32>(to, mass);
  store<f32>(to, scatter, 4);
}

/** to = row · factor */
function scaleRow(to: usize, row: usize, factor: f32): void {
  let left = width;
  for (; left >= 4; left -= 4, to += 16, row += 16) v128.store(to, f32x4.mul(v128.load(row), f32x4.splat(factor)));
  for (; left > 0; --left, to += 4, row += 4) store<f32>(to, load<f32>(row) * factor);
}

/** Adds the moments of the rows beside them (Chan, Golub and LeVeque 1979). */
function merge(to: usize, other: usize): void {
  const mass = load<f32>(to), more = load<f32>(other);
  let scatter = load<f32>(to, 4) + load<f32>(other, 4);
  if (mass > 0 && more > 0) {
    scatter += mass * more / (mass + more) * squaredDistance(to + SUMS, <f32>1 / mass, other + SUMS, <f32>1 / more, width);
    addScaled(to + SUMS, other + SUMS, 1, width);
  } else if (more > 0) scaleRow(to + SUMS, other + SUMS, 1);
  store<f32>(to, mass + more);
  store<f32>(to, scatter, 4);
}

/** Lets no node gain more than its parent, from the whole downwards. */
function limitGains(root: u32): void {
  let depth: u32 = 0;
  pushNode(depth++, 0, 0, root, 0);
  while (depth > 0) {
    const node = waiting + (<usize>(--depth) << 4), cut = load<u32>(node, 8), parent = load<u32>(node, 12);
    const place = cuts + (<usize>cut << 4), begin = load<u32>(place), end = load<u32>(place, 4);
    const isBundle = end - begin <= <u32>TREE_BUNDLE;
    for (let i: u32 = 0; i < centres; ++i) {
      const line = gains + i * lineBytes, most = parent ? load<f32>(line + (<usize>parent << 2)) : f32.MAX_VALUE;
      const own = min<f32>(load<f32>(line + (<usize>cut << 2)), most);
      if (!isBundle) store<f32>(line + (<usize>cut << 2), own);
      else for (let at = begin + 1; at < end; ++at) store<f32>(line + (<usize>at << 2), own);
    }
    if (isBundle) continue;
    for (let side: usize = 8; side <= 12; side += 4) {
      const next = load<u32>(place + side);
      if (next) pushNode(depth++, 0, 0, next, cut);
    }
  }
}
