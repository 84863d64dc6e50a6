// deno-fmt-ignore-file: AssemblyScript
import { TREE_BUNDLE, TREE_SAMPLE } from "../../constants";
import { SUBTREES } from "../engine/layout";
import { memberOfPart } from "./member_of_part";
import { squaredDistance } from "./row_sums";
import { addScaled, copyFloats, innerProduct } from "./simd";

@unmanaged
class TreeArguments {
  rows: usize;
  order: usize;
  /** [heads, count, width]: rows in the order. */
  ordered: usize;
  cuts: usize;
  /** [heads, SUBTREES, 4] words: begin, end and link of a node that a task of its own cuts on; empty ones last. */
  subtrees: usize;
  heads: u32;
  count: u32;
  width: u32;
}

/** Steps of two means. */
const STEPS: u32 = 3;
/** Nodes of fewer rows than this are no task of their own. */
const WORTHWHILE: u32 = 512;

// What the functions below share while a head is worked on; every thread has globals of its own.
let width: u32 = 0;
let stride: usize = 0;
let rows: usize = 0;
let order: usize = 0;
let cuts: usize = 0;
/** The two centres, the normal between them, and the sums of the members nearer to each. */
let near: usize = 0;
let far: usize = 0;
let normal: usize = 0;
let nearSum: usize = 0;
let farSum: usize = 0;
/** Rows of the sample, products of members with the normal, those of the sample in order, rows that move, and nodes that wait. */
let sample: usize = 0;
let sampleEnd: usize = 0;
let products: usize = 0;
let ranked: usize = 0;
let movedRows: usize = 0;
let movedOrder: usize = 0;
let waiting: usize = 0;

function share(args: TreeArguments, head: u32, scratch: usize): void {
  width = args.width;
  stride = <usize>width << 2;
  rows = args.ordered + <usize>head * args.count * stride;
  order = args.order + ((<usize>head * args.count) << 2);
  cuts = args.cuts + ((<usize>head * args.count) << 4);
  const vector = (stride + 15) & ~15, words = ((<usize>args.count << 2) + 15) & ~15;
  near = scratch;
  far = near + vector;
  normal = far + vector;
  nearSum = normal + vector;
  farSum = nearSum + vector;
  sample = farSum + vector;
  ranked = sample + (TREE_SAMPLE << 2);
  products = ranked + (TREE_SAMPLE << 2);
  movedOrder = products + words;
  waiting = movedOrder + words;
  movedRows = waiting + 12 * (<usize>args.count + 1);
}

/** Cuts the largest node, again and again, until there are enough for all threads. */
export function growTopTask(operation: usize, head: u32, scratch: usize): void {
  const args = changetype<TreeArguments>(operation), count = args.count;
  share(args, head, scratch);
  memory.copy(rows, args.rows + <usize>head * count * stride, <usize>count * stride);
  for (let row: u32 = 0; row < count; ++row) store<u32>(order + (<usize>row << 2), row);
  memory.fill(cuts, 0, <usize>count << 4);
  store<u32>(cuts, count, 4);
  const subtrees = args.subtrees + ((<usize>head * SUBTREES) << 4);
  memory.fill(subtrees, 0, SUBTREES << 4);
  setNode(subtrees, 0, count, 2);
  for (let nodes: u32 = 1; nodes < <u32>SUBTREES; ++nodes) {
    let largest = subtrees, most: u32 = 0;
    for (let i: u32 = 0; i < nodes; ++i) {
      const node = subtrees + (<usize>i << 4), size = load<u32>(node, 4) - load<u32>(node);
      if (size <= most) continue;
      largest = node;
      most = size;
    }
    if (most < WORTHWHILE) return;
    const begin = load<u32>(largest), end = load<u32>(largest, 4);
    const cut = cutNode(begin, end, load<u32>(largest, 8));
    setNode(largest, begin, cut, 4 * cut + 2);
    setNode(subtrees + (<usize>nodes << 4), cut, end, 4 * cut + 3);
  }
}

function setNode(node: usize, begin: u32, end: u32, link: u32): void {
  store<u32>(node, begin);
  store<u32>(node, end, 4);
  store<u32>(node, link, 8);
}

/** Cuts one of the nodes that are left down to single rows. */
export function growTreeTask(operation: usize, task: u32, scratch: usize): void {
  const args = changetype<TreeArguments>(operation), node = args.subtrees + (<usize>task << 4);
  share(args, task / SUBTREES, scratch);
  let depth: u32 = 0;
  pushNode(depth++, load<u32>(node), load<u32>(node, 4), load<u32>(node, 8));
  while (depth > 0) {
    const top = waiting + <usize>(--depth) * 12;
    const begin = load<u32>(top), end = load<u32>(top, 4);
    if (end - begin < 2) continue;
    const cut = cutNode(begin, end, load<u32>(top, 8));
    pushNode(depth++, begin, cut, 4 * cut + 2);
    pushNode(depth++, cut, end, 4 * cut + 3);
  }
}

function pushNode(depth: u32, begin: u32, end: u32, link: u32): void {
  setNode(waiting + <usize>depth * 12, begin, end, link);
}

/** Of a member of the node that is cut. */
function productAt(member: u32): f32 {
  return load<f32>(products + (<usize>member << 2));
}

function rowOf(place: u32): usize {
  return rows + <usize>place * stride;
}

/** Cuts the node [begin, end), notes where, there and at its link, and returns where. */
function cutNode(begin: u32, end: u32, link: u32): u32 {
  let cut = end - begin <= <u32>TREE_BUNDLE ? begin : moveRows(begin, end, placePlane(begin, end));
  if (cut === begin || cut === end) cut = begin + (end - begin) / 2;
  store<u32>(cuts + (<usize>link << 2), cut);
  store<u32>(cuts + (<usize>cut << 4), begin);
  store<u32>(cuts + (<usize>cut << 4), end, 4);
  return cut;
}

/** Finds the normal; returns the largest product of a row on the near side. */
function placePlane(begin: u32, end: u32): f32 {
  const size = end - begin, every = (size + TREE_SAMPLE - 1) / TREE_SAMPLE, sampled = (size + every - 1) / every;
  sampleEnd = sample + (<usize>sampled << 2);
  for (let i: u32 = 0; i < sampled; ++i) store<u32>(sample + (<usize>i << 2), <u32>rowOf(begin + memberOfPart(i, every, size)));
  copyFloats(near, farthest(rowOf(begin)), width);
  copyFloats(far, farthest(near), width);
  let middle = subtract();
  for (let step: u32 = 0; step < STEPS; ++step) {
    clear(nearSum);
    clear(farSum);
    let nearer: u32 = 0;
    for (let at = sample; at < sampleEnd; at += 4) {
      const row = <usize>load<u32>(at), isNear = innerProduct(row, normal, width) <= middle;
      addScaled(isNear ? nearSum : farSum, row, 1, width);
      nearer += u32(isNear);
    }
    if (nearer === 0 || nearer === sampled) break;
    clear(near);
    clear(far);
    addScaled(near, nearSum, <f32>1 / <f32>nearer, width);
    addScaled(far, farSum, <f32>1 / <f32>(sampled - nearer), width);
    middle = subtract();
  }
  const least = (sampled + 7) / 8;
  let nearer: u32 = 0;
  for (let place = begin; place < end; ++place) {
    store<f32>(products + (<usize>(place - begin) << 2), innerProduct(rowOf(place), normal, width));
  }
  for (let i: u32 = 0; i < sampled; ++i) nearer += u32(productAt(memberOfPart(i, every, size)) <= middle);
  if (nearer < least) return ranking(size, every, sampled, least - 1);
  if (sampled - nearer < least) return ranking(size, every, sampled, max<i32>(sampled - least - 1, least - 1));
  return middle;
}

/** Vectors end at multiples of 16 bytes. */
function clear(vector: usize): void {
  for (let end = vector + stride; vector < end; vector += 16) v128.store(vector, f32x4.splat(0));
}

/** Normal from the near centre to the far one; returns the product of the middle with it. */
function subtract(): f32 {
  copyFloats(normal, far, width);
  addScaled(normal, near, -1, width);
  return (innerProduct(near, normal, width) + innerProduct(far, normal, width)) / 2;
}

/** The first of the members of the sample that are farthest from a row. */
function farthest(from: usize): usize {
  let best = <usize>load<u32>(sample), most: f32 = 0;
  for (let at = sample; at < sampleEnd; at += 4) {
    const row = <usize>load<u32>(at), distance = squaredDistance(row, from, stride);
    if (distance <= most) continue;
    best = row;
    most = distance;
  }
  return best;
}

/** The product of the sample that has so many below it: sorted by insertion, since few nodes ask for it. */
function ranking(size: u32, every: u32, sampled: u32, rank: u32): f32 {
  for (let i: u32 = 0; i < sampled; ++i) {
    const product = productAt(memberOfPart(i, every, size));
    let at = ranked + (<usize>i << 2);
    for (; at > ranked && load<f32>(at - 4) > product; at -= 4) store<f32>(at, load<f32>(at - 4));
    store<f32>(at, product);
  }
  return load<f32>(ranked + (<usize>rank << 2));
}

/** Brings the rows of the near side to the front, both in their order; returns where the others begin. */
function moveRows(begin: u32, end: u32, limit: f32): u32 {
  let to = begin, moved: u32 = 0;
  for (let place = begin; place < end; ++place) {
    const row = rowOf(place), number = load<u32>(order + (<usize>place << 2));
    if (load<f32>(products + (<usize>(place - begin) << 2)) <= limit) {
      if (to !== place) {
        copyFloats(rowOf(to), row, width);
        store<u32>(order + (<usize>to << 2), number);
      }
      ++to;
    } else {
      copyFloats(movedRows + <usize>moved * stride, row, width);
      store<u32>(movedOrder + (<usize>moved << 2), number);
      ++moved;
    }
  }
  copyFloats(rowOf(to), movedRows, moved * width);
  copyFloats(order + (<usize>to << 2), movedOrder, moved);
  return to;
}
