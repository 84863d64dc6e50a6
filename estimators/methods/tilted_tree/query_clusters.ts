import { ofHead } from "../../core/of_head.ts";

/** The queries of a run of heads by their clusters. */
export interface QueryClusters {
  /** [heads, queries]: the queries, those of a cluster side by side; their own order if left out. */
  readonly order?: Uint32Array;
  /** [heads, clusters]: queries of each. */
  readonly sizes: Uint32Array;
  /** [heads, clusters, features]: their means; those of empty clusters are that of the first which is not. */
  readonly means: Float32Array;
}

/** Sorts queries [heads, queries, features] by the clusters they belong to. */
export function clusterQueries(
  rows: Float32Array,
  labels: Uint32Array,
  heads: number,
  clusters: number,
): QueryClusters & { readonly order: Uint32Array } {
  const queries = labels.length / heads, width = rows.length / labels.length;
  const order = new Uint32Array(labels.length), sizes = new Uint32Array(heads * clusters);
  const means = new Float32Array(heads * clusters * width);
  for (let head = 0; head < heads; head++) {
    const own = ofHead(rows, head, heads), label = ofHead(labels, head, heads);
    const size = ofHead(sizes, head, heads), place = new Uint32Array(clusters);
    const sums = new Float64Array(clusters * width);
    for (let row = 0; row < queries; row++) {
      size[label[row]]++;
      const to = label[row] * width, from = row * width;
      for (let c = 0; c < width; c++) sums[to + c] += own[from + c];
    }
    for (let at = 1; at < clusters; at++) place[at] = place[at - 1] + size[at - 1];
    for (let row = 0; row < queries; row++) order[head * queries + place[label[row]]++] = row;
    const first = size.findIndex((members) => members > 0);
    for (let at = 0; at < clusters; at++) {
      const from = size[at] > 0 ? at : first;
      for (let c = 0; c < width; c++) {
        means[(head * clusters + at) * width + c] = sums[from * width + c] / size[from];
      }
    }
  }
  return { order, sizes, means };
}

/** Where the lists of clusters lie, and the blocks of queries that attend to them, as `attend` takes them. */
export interface ListBlocks {
  /** [heads, clusters]: first entry of each list. */
  readonly first: Uint32Array;
  /** Entries of the head that has most. */
  readonly most: number;
  /** [heads, blocks, 4]: positions of queries and of entries. */
  readonly positions: Uint32Array;
  readonly blocks: number;
  /** Queries and entries of the largest block. */
  readonly mostQueries: number;
  readonly mostKeys: number;
}

/** Queries of one block: those of a cluster that attend to its list together. */
const BLOCK_QUERIES = 64;

/** Lays the lists of clusters out, one behind the other, and cuts the clusters into blocks. */
export function layOutLists(
  { sizes }: Pick<QueryClusters, "sizes">,
  lengths: Uint32Array,
  heads: number,
): ListBlocks {
  const clusters = sizes.length / heads,
    first = new Uint32Array(sizes.length),
    blocksOfHeads: number[][] = [];
  let most = 0, mostQueries = 0, mostKeys = 0;
  for (let head = 0; head < heads; head++) {
    const blocks: number[] = [];
    let query = 0, entry = 0;
    for (let at = head * clusters; at < (head + 1) * clusters; at++) {
      first[at] = entry;
      const end = entry + lengths[at], parts = Math.ceil(sizes[at] / BLOCK_QUERIES);
      for (let part = 0; part < parts; part++) {
        const from = query + Math.floor(part * sizes[at] / parts),
          to = query + Math.floor((part + 1) * sizes[at] / parts);
        blocks.push(from, to, entry, end);
        mostQueries = Math.max(mostQueries, to - from);
        mostKeys = Math.max(mostKeys, lengths[at]);
      }
      query += sizes[at];
      entry = end;
    }
    most = Math.max(most, entry);
    blocksOfHeads.push(blocks);
  }
  const blocks = Math.max(...blocksOfHeads.map(({ length }) => length / 4));
  const positions = new Uint32Array(4 * heads * blocks);
  blocksOfHeads.forEach((own, head) => positions.set(own, 4 * head * blocks));
  return { first, most, positions, blocks, mostQueries, mostKeys };
}
