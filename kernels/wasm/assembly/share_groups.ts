// deno-fmt-ignore-file: AssemblyScript
import { TREE_GROUP } from "../../constants";
import { logarithm } from "./logarithm";
import { addScaled, innerProduct } from "./simd";
import { squaredDistance } from "./squared_distance";
import { EMPTY } from "./tile_softmax";
import { weigh } from "./weigh_keys";

/** Bytes of what is known of groups of keys: where they begin, their masses, logarithms of shares, sums of squares, a line of shares, and means. */
export function groupBytes(count: u32, width: u32): usize {
  const groups = groupsOf(count);
  return ((<usize>groups * (5 + width) + 4) << 2) + 12 & ~15;
}

function groupsOf(count: u32): u32 {
  return (count + TREE_GROUP - 1) / TREE_GROUP;
}

/** Where groups begin: at 0, and where the largest node is cut of each further run of positions; then the number of keys. */
export function findGroups(starts: usize, cuts: usize, count: u32): void {
  const groups = groupsOf(count);
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

/** Weights of the keys of a centre by how much its queries look at the groups they are in. */
export function shareGroups(
  to: usize, weights: usize, rows: usize, starts: usize, offsets: usize, picks: u32, count: u32, width: u32,
): void {
  const groups = groupsOf(count), line = <usize>groups << 2, stride = <usize>width << 2;
  const masses = starts + line + 4, logShares = masses + line, squares = logShares + line, shares = squares + line;
  const means = shares + line;
  for (let group: u32 = 0; group < groups; ++group) {
    const at = <usize>group << 2, begin = load<u32>(starts + at), end = load<u32>(starts + at, 4);
    const mean = means + group * stride;
    let mass: f32 = 0, scatter: f32 = 0;
    for (let j = begin; j < end; ++j) mass += load<f32>(weights + (<usize>j << 2));
    memory.fill(mean, 0, stride);
    store<f32>(masses + at, mass);
    store<f32>(squares + at, mass * mass);
    if (mass === 0) {
      store<f32>(logShares + at, <f32>EMPTY);
      continue;
    }
    for (let j = begin; j < end; ++j) {
      const w = load<f32>(weights + (<usize>j << 2));
      if (w > 0) addScaled(mean, rows + <usize>j * stride, w / mass, width);
    }
    for (let j = begin; j < end; ++j) {
      const w = load<f32>(weights + (<usize>j << 2));
      if (w > 0) scatter += w * squaredDistance(rows + <usize>j * stride, 1, mean, 1, width);
    }
    store<f32>(logShares + at, <f32>(logarithm(mass) + <f64>(scatter / mass / 2)));
  }
  for (let pick: u32 = 0; pick < picks; ++pick, offsets += stride) {
    for (let group: u32 = 0; group < groups; ++group) {
      const at = <usize>group << 2;
      store<f32>(shares + at, load<f32>(logShares + at) + innerProduct(offsets, means + group * stride, width));
    }
    weigh(shares, shares, groups);
    for (let at: usize = 0; at < line; at += 4) {
      const share = load<f32>(shares + at);
      store<f32>(squares + at, load<f32>(squares + at) + share * share);
    }
  }
  for (let group: u32 = 0; group < groups; ++group) {
    const at = <usize>group << 2, end = load<u32>(starts + at, 4), mass = load<f32>(masses + at);
    const factor = mass > 0 ? sqrt<f32>(load<f32>(squares + at) / <f32>(picks + 1)) / mass : 0;
    for (let j = load<u32>(starts + at); j < end; ++j) {
      store<f32>(to + (<usize>j << 2), load<f32>(weights + (<usize>j << 2)) * factor);
    }
  }
}
