import type { Backend } from "../backend.ts";
import { type Bisection, CUT_SAMPLE, NEGLIGIBLE_SCATTER, PIVOT_CANDIDATES } from "../coreset_primitives.ts";
import { floatValues, words } from "./array.ts";
import { innerProduct } from "./attend.ts";

/** Rows of one head and how much each counts. */
interface WeightedRows {
  readonly rows: Float64Array;
  readonly weights: Float64Array;
  readonly width: number;
}

/** A cluster: its rows, and their weighted moments. */
interface Cluster {
  readonly members: Uint32Array;
  readonly mean: Float64Array;
  readonly scatter: number;
}

/** Clusters of the rows of each head by weighted bisection. */
export function bisectRows(args: Parameters<Backend["bisectRows"]>[0]): Bisection {
  const { heads, count, width, budget, perCluster } = args;
  const rows = floatValues(args.rows), weights = floatValues(args.weights);
  const labels = new Uint32Array(heads * count), clusters = new Uint32Array(heads);
  const products = new Uint32Array(heads);
  for (let head = 0; head < heads; head++) {
    const own: WeightedRows = {
      rows: rows.subarray(head * count * width, (head + 1) * count * width),
      weights: weights.subarray(head * count, (head + 1) * count),
      width,
    };
    const tree = bisect(own, count, budget, perCluster);
    clusters[head] = tree.clusters.length;
    products[head] = tree.products;
    tree.clusters.forEach(({ members }, label) => {
      for (const row of members) labels[head * count + row] = label;
    });
  }
  return { labels: words(labels), clusters: words(clusters), products: words(products) };
}

function bisect(
  own: WeightedRows,
  count: number,
  budget: number,
  perCluster: number,
): { clusters: Cluster[]; products: number } {
  const clusters = [measure(own, Uint32Array.from({ length: count }, (_, row) => row))];
  let moment = 0, products = 0;
  for (let row = 0; row < count; row++) {
    moment += own.weights[row] *
      innerProduct(own.rows, row * own.width, own.rows, row * own.width, own.width);
  }
  while (true) {
    const widest = clusters.reduce((a, { scatter }, at) => scatter > clusters[a].scatter ? at : a, 0);
    const { members, mean, scatter } = clusters[widest];
    const cost = members.length + strided(members, CUT_SAMPLE).length +
      strided(members, PIVOT_CANDIDATES).length;
    const total = products + cost + (clusters.length + 1) * perCluster;
    if (!(scatter > NEGLIGIBLE_SCATTER * moment) || total > budget) return { clusters, products };
    products += cost;
    const halves = cutInTwo(own, clusters[widest]);
    if (halves) {
      clusters[widest] = halves[0];
      clusters.push(halves[1]);
    } else {
      clusters[widest] = { members, mean, scatter: 0 };
    }
  }
}

/** Weighted mean and scatter of some rows. */
function measure({ rows, weights, width }: WeightedRows, members: Uint32Array): Cluster {
  const mean = new Float64Array(width);
  let total = 0, moment = 0;
  for (const row of members) {
    total += weights[row];
    for (let c = 0; c < width; c++) {
      mean[c] += weights[row] * rows[row * width + c];
      moment += weights[row] * rows[row * width + c] ** 2;
    }
  }
  for (let c = 0; c < width; c++) {
    mean[c] /= total;
    moment -= total * mean[c] ** 2;
  }
  return { members, mean, scatter: moment };
}

/** Evenly strided members, at most `most`. */
function strided(members: Uint32Array, most: number): Uint32Array {
  const stride = Math.ceil(members.length / most);
  return members.filter((_, at) => at % stride === 0);
}

/** Cuts half-way between the means of two halves of a sample; nothing if rows cannot be told apart. */
function cutInTwo(own: WeightedRows, { members, mean }: Cluster): [Cluster, Cluster] | undefined {
  const { rows, width } = own, pivot = pivotOf(own, strided(members, PIVOT_CANDIDATES), mean);
  const sample = cut(
    own,
    strided(members, CUT_SAMPLE),
    mean.map((x, c) => rows[pivot * width + c] - x),
    mean,
  );
  if (!sample) return undefined;
  const [near, far] = sample.map((half) => measure(own, half).mean);
  const halves = cut(own, members, far.map((x, c) => x - near[c]), far.map((x, c) => (x + near[c]) / 2));
  return halves && [measure(own, halves[0]), measure(own, halves[1])];
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

/** The members on either side of a hyperplane; nothing if a side is empty. */
function cut(
  { rows, width }: WeightedRows,
  members: Uint32Array,
  normal: Float64Array,
  origin: Float64Array,
): [Uint32Array, Uint32Array] | undefined {
  const beyond = (row: number) => {
    let side = 0;
    for (let c = 0; c < width; c++) side += (rows[row * width + c] - origin[c]) * normal[c];
    return side > 0;
  };
  const near = members.filter((row) => !beyond(row)), far = members.filter(beyond);
  return near.length > 0 && far.length > 0 ? [near, far] : undefined;
}
