import type { Arguments } from "../primitives.ts";
import {
  type Bisection,
  CUT_SAMPLE,
  NEGLIGIBLE_SCATTER,
  type OtherRows,
  PIVOT_CANDIDATES,
} from "../coreset_primitives.ts";
import { floatValues, words } from "./array.ts";
import { memberOfPart, membersOfParts } from "./member_of_part.ts";
import type { Steps } from "./steps.ts";

/** Rows of one head and how much each counts. */
interface WeightedRows {
  readonly rows: Float64Array;
  readonly weights: Float64Array;
  readonly width: number;
  /** Rows of a part, of which the tree grows on one. */
  readonly stride: number;
}

/** A cluster: those of its rows that the tree grows on, and their weighted moments. */
interface Cluster {
  readonly members: Uint32Array;
  readonly mean: Float64Array;
  readonly scatter: number;
}

/** A hyperplane; rows beyond it leave cluster `near` for cluster `far`. */
interface Cut {
  readonly normal: Float64Array;
  readonly origin: Float64Array;
  readonly near: number;
  readonly far: number;
}

/** Clusters of the rows of each head by weighted bisection. */
export function* bisectRows(args: Arguments<"bisectRows">): Steps<Bisection> {
  const { heads, count, width, grownOn } = args;
  const labels = new Uint32Array(heads * count), clusters = new Uint32Array(heads);
  const products = new Uint32Array(heads), others = new Uint32Array(heads * (args.others?.count ?? 0));
  const [labelled, counted, cost, otherLabels] = [labels, clusters, products, others].map(words);
  yield { labels: labelled, clusters: counted, products: cost, others: otherLabels };
  const rows = floatValues(args.rows), weights = floatValues(args.weights);
  for (let head = 0; head < heads; head++) {
    const own: WeightedRows = {
      rows: rows.subarray(head * count * width, (head + 1) * count * width),
      weights: weights.subarray(head * count, (head + 1) * count),
      width,
      stride: Math.ceil(count / grownOn),
    };
    const tree = yield* grow(own, args);
    clusters[head] = tree.clusters.length;
    products[head] = tree.products;
    for (let row = 0; row < count; row++) {
      labels[head * count + row] = descend(own, tree.cuts, row * width);
      yield;
    }
    tree.clusters.forEach(({ members }, label) => {
      for (const row of members) labels[head * count + row] = label;
    });
    if (args.others) {
      const { count } = args.others;
      yield* descendAll(
        args.others,
        width,
        head,
        tree.cuts,
        others.subarray(head * count, (head + 1) * count),
      );
    }
  }
}

/** Finds the clusters that other rows of a head come to. */
function* descendAll(
  { rows, count, centre, scale, treeCentre }: OtherRows,
  width: number,
  head: number,
  cuts: readonly Cut[],
  labels: Uint32Array,
): Steps<never> {
  const from = floatValues(centre),
    to = floatValues(treeCentre),
    all = floatValues(rows),
    factor = floatValues(scale)[head];
  const moved = all.subarray(head * count * width, (head + 1) * count * width)
    .map((x, at) => to[head * width + at % width] + factor * (x - from[head * width + at % width]));
  for (let row = 0; row < count; row++) {
    labels[row] = descend({ rows: moved }, cuts, row * width);
    yield;
  }
}

function* grow(
  own: WeightedRows,
  { count, budget, perCluster }: Arguments<"bisectRows">,
): Generator<undefined, { clusters: Cluster[]; cuts: Cut[]; products: number }, void> {
  const grownOn = Math.ceil(count / own.stride);
  const clusters = [
    measure(own, Uint32Array.from({ length: grownOn }, (_, at) => memberOfPart(at, own.stride, count))),
  ];
  const cuts: Cut[] = [], all = clusters[0].scatter;
  let products = 0;
  while (true) {
    yield;
    const near = clusters.reduce((a, { scatter }, at) => scatter > clusters[a].scatter ? at : a, 0);
    const { members, mean, scatter } = clusters[near];
    const cost = members.length * own.stride + some(members, CUT_SAMPLE).length +
      some(members, PIVOT_CANDIDATES).length;
    const total = products + cost + (clusters.length + 1) * perCluster;
    if (!(scatter > NEGLIGIBLE_SCATTER * all) || total > budget) return { clusters, cuts, products };
    products += cost;
    const made = cutInTwo(own, clusters[near]);
    if (made) {
      cuts.push({ ...made, near, far: clusters.length });
      clusters[near] = made.halves[0];
      clusters.push(made.halves[1]);
    } else {
      clusters[near] = { members, mean, scatter: 0 };
    }
  }
}

/** The cluster that a row comes to. */
function descend({ rows }: Pick<WeightedRows, "rows">, cuts: readonly Cut[], start: number): number {
  return cuts.reduce((label, cut) => cut.near === label && isBeyond(rows, start, cut) ? cut.far : label, 0);
}

/** Weighted mean and scatter of some rows. */
function measure({ rows, weights, width }: WeightedRows, members: Uint32Array): Cluster {
  const mean = new Float64Array(width);
  let total = 0, scatter = 0;
  for (const row of members) {
    total += weights[row];
    for (let c = 0; c < width; c++) mean[c] += weights[row] * rows[row * width + c];
  }
  for (let c = 0; c < width; c++) mean[c] /= total;
  for (const row of members) {
    for (let c = 0; c < width; c++) scatter += weights[row] * (rows[row * width + c] - mean[c]) ** 2;
  }
  return { members, mean, scatter };
}

/** One member of each part, at most `most`. */
function some(members: Uint32Array, most: number): Uint32Array {
  return membersOfParts(members.length, most).map((at) => members[at]);
}

/** Cuts half-way between the means of two halves of a sample; nothing if rows cannot be told apart. */
function cutInTwo(own: WeightedRows, { members, mean }: Cluster) {
  const { rows, width } = own, pivot = pivotOf(own, some(members, PIVOT_CANDIDATES), mean);
  const sample = cut(own, some(members, CUT_SAMPLE), {
    normal: mean.map((x, c) => rows[pivot * width + c] - x),
    origin: mean,
  });
  if (!sample) return undefined;
  const [near, far] = sample.map((half) => measure(own, half).mean);
  const plane = { normal: far.map((x, c) => x - near[c]), origin: far.map((x, c) => (x + near[c]) / 2) };
  const halves = cut(own, members, plane);
  return halves && { ...plane, halves: [measure(own, halves[0]), measure(own, halves[1])] };
}

/** The candidate with the largest weight · squared distance from the mean. */
function pivotOf(
  { rows, weights, width }: WeightedRows,
  candidates: Uint32Array,
  mean: Float64Array,
): number {
  let pivot = candidates[0], most = -1;
  for (const row of candidates) {
    let squared = 0;
    for (let c = 0; c < width; c++) squared += (rows[row * width + c] - mean[c]) ** 2;
    if (weights[row] * squared > most) [most, pivot] = [weights[row] * squared, row];
  }
  return pivot;
}

type Plane = Pick<Cut, "normal" | "origin">;

/** The members on either side of a hyperplane; nothing if a side is empty. */
function cut(
  { rows, width }: WeightedRows,
  members: Uint32Array,
  plane: Plane,
): [Uint32Array, Uint32Array] | undefined {
  const beyond = (row: number) => isBeyond(rows, row * width, plane);
  const near = members.filter((row) => !beyond(row)), far = members.filter(beyond);
  return near.length > 0 && far.length > 0 ? [near, far] : undefined;
}

function isBeyond(rows: Float64Array, start: number, { normal, origin }: Plane): boolean {
  let side = 0;
  for (let c = 0; c < normal.length; c++) side += (rows[start + c] - origin[c]) * normal[c];
  return side > 0;
}
