// deno-fmt-ignore-file: AssemblyScript
import { CHUNK_KEYS } from "../engine/layout";
import { logarithm } from "./logarithm";
import { scatterOfRun, squaredDistance, sumRows, sumRun } from "./row_sums";
import { addScaled, copyFloats, innerProduct } from "./simd";
import { EMPTY } from "./tile_softmax";

@unmanaged
class ListArguments {
  key: usize;
  value: usize;
  /** [heads, count, width], in the order of the tree. */
  rows: usize;
  weights: usize;
  gains: usize;
  logMass: usize;
  threshold: usize;
  first: usize;
  centre: usize;
  listKey: usize;
  listValue: usize;
  logWeight: usize;
  heads: u32;
  centres: u32;
  count: u32;
  width: u32;
  features: u32;
  valueFeatures: u32;
  most: u32;
  /** Centres that go through the keys together, so that these are in the cache for all of them. */
  together: u32;
}

/** The entry of a list that keys are being added to; from LIST_HEADER on the weighted sum of their rows. */
@unmanaged
class OpenEntry {
  /** Its place among the entries of all heads. */
  place: u32;
  /** Its first key, the first of the last part's that weigh anything, and how many keys do. */
  begin: u32;
  only: u32;
  keys: u32;
  mass: f32;
  /** Σ w ‖y − ȳ‖² */
  scatter: f32;
}
const LIST_HEADER: usize = 32;

// What the functions below share while a head is worked on; every thread has globals of its own.
let args: ListArguments = changetype<ListArguments>(0);
let keys: usize = 0;
let values: usize = 0;
let rows: usize = 0;
let keyBytes: usize = 0;
let valueBytes: usize = 0;
let rowBytes: usize = 0;
/** Keys of a part of an entry that weigh anything, and sums over them. */
let held: usize = 0;
let sums: usize = 0;

/** The lists of some centres. */
export function sumListsTask(operation: usize, task: u32, scratch: usize): void {
  args = changetype<ListArguments>(operation);
  const count = args.count, parts = (args.centres + args.together - 1) / args.together, head = task / parts;
  const first = (task % parts) * args.together, end = min<u32>(args.centres, first + args.together);
  const base = <usize>head * count;
  keyBytes = <usize>args.features << 2;
  valueBytes = <usize>args.valueFeatures << 2;
  rowBytes = <usize>args.width << 2;
  keys = args.key + base * keyBytes;
  values = args.value + base * valueBytes;
  rows = args.rows + base * rowBytes;
  held = scratch;
  sums = held + (CHUNK_KEYS << 2);
  const entries = sums + ((<usize>max<u32>(args.width, max<u32>(args.features, args.valueFeatures))) << 2);
  const entryBytes = LIST_HEADER + rowBytes, threshold = load<f32>(args.threshold + (<usize>head << 2));
  for (let centre = first; centre < end; ++centre) {
    const line = head * args.centres + centre;
    const place = head * args.most + load<u32>(args.first + (<usize>line << 2));
    open(changetype<OpenEntry>(entries + (centre - first) * entryBytes), place, 0);
  }
  for (let start: u32 = 0; start < count; start += CHUNK_KEYS) {
    for (let centre = first; centre < end; ++centre) {
      const entry = changetype<OpenEntry>(entries + (centre - first) * entryBytes);
      addChunk(entry, head * args.centres + centre, threshold, start, min<u32>(count, start + CHUNK_KEYS));
    }
  }
  for (let centre = first; centre < end; ++centre) {
    close(changetype<OpenEntry>(entries + (centre - first) * entryBytes), head * args.centres + centre);
  }
  if (end < args.centres) return;
  let place = changetype<OpenEntry>(entries + (end - 1 - first) * entryBytes).place + 1;
  const last = (head + 1) * args.most;
  memory.fill(args.listKey + place * keyBytes, 0, (last - place) * keyBytes);
  memory.fill(args.listValue + place * valueBytes, 0, (last - place) * valueBytes);
  for (; place < last; ++place) store<f32>(args.logWeight + (<usize>place << 2), EMPTY);
}

function open(entry: OpenEntry, place: u32, begin: u32): void {
  entry.place = place;
  entry.begin = begin;
  entry.keys = 0;
  entry.mass = 0;
  entry.scatter = 0;
}

/** Adds some keys to the list of a centre, and goes on to the next entry where it is cut. */
function addChunk(entry: OpenEntry, line: u32, threshold: f32, start: u32, end: u32): void {
  const weights = args.weights + ((<usize>line * args.count) << 2), gains = args.gains + ((<usize>line * args.count) << 2);
  let length: u32 = 0, mass: f32 = 0;
  for (let j = start; j < end; ++j) {
    if (j > 0 && load<f32>(gains + (<usize>j << 2)) >= threshold) {
      addPart(entry, weights, length, mass);
      close(entry, line);
      open(entry, entry.place + 1, j);
      length = 0;
      mass = 0;
    }
    const w = load<f32>(weights + (<usize>j << 2));
    if (w === 0) continue;
    mass += w;
    store<u32>(held + (<usize>length << 2), j);
    ++length;
  }
  addPart(entry, weights, length, mass);
}

/** Adds the keys of the list `held` to an entry. */
function addPart(entry: OpenEntry, weights: usize, length: u32, mass: f32): void {
  if (length === 0) return;
  const isFirst = entry.keys === 0, rowSum = changetype<usize>(entry) + LIST_HEADER;
  entry.only = load<u32>(held);
  entry.keys += length;
  if (isFirst && length === 1) {
    // The next part, if there is one, starts from this key.
    entry.mass = mass;
    return startFrom(entry, rowSum, mass);
  }
  const begin = entry.only, span = load<u32>(held + (<usize>(length - 1) << 2)) + 1 - begin;
  // Where most keys of a run weigh something they are taken as they lie.
  const isRun = span < 2 * length, count = isRun ? span : length;
  sumPart(args.listKey + entry.place * keyBytes, isFirst, weights, count, isRun, keys, keyBytes, args.features);
  sumPart(args.listValue + entry.place * valueBytes, isFirst, weights, count, isRun, values, valueBytes, args.valueFeatures);
  sumSome(sums, weights, count, isRun, rows, rowBytes);
  const before = entry.mass, total = before + mass;
  let scatter: f32 = 0;
  // Moments of both are merged (Chan, Golub and LeVeque 1979).
  multiply(sums, <f32>1 / mass, args.width);
  if (length > 1 && isRun) {
    scatter = scatterOfRun(sums, rows + begin * rowBytes, span, rowBytes, weights + (<usize>begin << 2));
  } else if (length > 1) {
    for (let at = held, end = held + (<usize>length << 2); at < end; at += 4) {
      const row = <usize>load<u32>(at);
      scatter += load<f32>(weights + (row << 2)) * squaredDistance(rows + row * rowBytes, sums, rowBytes);
    }
  }
  if (isFirst) copyFloats(rowSum, sums, args.width);
  else {
    scatter += entry.scatter + before * mass / total * squaredDistance(rowSum, sums, rowBytes);
    multiply(rowSum, before / total, args.width);
    addScaled(rowSum, sums, mass / total, args.width);
  }
  entry.scatter = scatter;
  entry.mass = total;
}

/** One key: its sums are itself, times its weight. */
function startFrom(entry: OpenEntry, rowMean: usize, mass: f32): void {
  const key = args.listKey + entry.place * keyBytes, value = args.listValue + entry.place * valueBytes;
  copyFloats(key, keys + entry.only * keyBytes, args.features);
  multiply(key, mass, args.features);
  copyFloats(value, values + entry.only * valueBytes, args.valueFeatures);
  multiply(value, mass, args.valueFeatures);
  copyFloats(rowMean, rows + entry.only * rowBytes, args.width);
}

/** Adds a weighted sum of rows. */
function sumPart(
  to: usize,
  isFirst: bool,
  weights: usize,
  count: u32,
  isRun: bool,
  from: usize,
  bytes: usize,
  width: u32,
): void {
  if (isFirst) return sumSome(to, weights, count, isRun, from, bytes);
  sumSome(sums, weights, count, isRun, from, bytes);
  addScaled(to, sums, 1, width);
}

/** Weighted sum of the rows of the keys `held`, or of so many from the first of these on. */
function sumSome(to: usize, weights: usize, count: u32, isRun: bool, from: usize, bytes: usize): void {
  if (!isRun) return sumRows(to, held, count, from, bytes, weights);
  const begin = <usize>load<u32>(held);
  sumRun(to, from + begin * bytes, count, bytes, weights + (begin << 2));
}

/** Makes means of the sums of an entry, and what its logits take. */
function close(entry: OpenEntry, line: u32): void {
  const key = args.listKey + entry.place * keyBytes, value = args.listValue + entry.place * valueBytes;
  if (entry.keys < 2) {
    const only = entry.keys ? entry.only : entry.begin;
    copyFloats(key, keys + only * keyBytes, args.features);
    copyFloats(value, values + only * valueBytes, args.valueFeatures);
  } else {
    multiply(key, <f32>1 / entry.mass, args.features);
    multiply(value, <f32>1 / entry.mass, args.valueFeatures);
  }
  let logWeight: f32 = EMPTY;
  if (entry.mass > 0) {
    const logMass = <f64>load<f32>(args.logMass + (<usize>line << 2));
    const product = innerProduct(args.centre + <usize>line * keyBytes, key, args.features);
    const known = logarithm(<f64>entry.mass) + logMass - <f64>product;
    logWeight = <f32>(known + <f64>(entry.scatter / entry.mass / 2));
  }
  store<f32>(args.logWeight + (<usize>entry.place << 2), logWeight);
}

function multiply(values: usize, factor: f32, left: u32): void {
  for (; left >= 4; left -= 4, values += 16) v128.store(values, f32x4.mul(v128.load(values), f32x4.splat(factor)));
  for (; left > 0; --left, values += 4) store<f32>(values, load<f32>(values) * factor);
}
