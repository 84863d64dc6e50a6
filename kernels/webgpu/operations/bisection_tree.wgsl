// A tree of hyperplanes over the rows of each head: where it lies. bisect_rows.wgsl grows it, descend_rows.wgsl uses it.
// parameters.heads, count: rows of each head; columns: vec4s of a row; most: clusters that there is room for;
// budget, perCluster: when to end; cuts, work: cuts and inner products after which a dispatch leaves the rest to the next one;
// every: each how many-th row the tree grows on; grown: how many these are.

struct Parameters {
  heads: u32,
  count: u32,
  columns: u32,
  most: u32,
  budget: u32,
  perCluster: u32,
  cuts: u32,
  work: u32,
  every: u32,
  grown: u32,
}

@group(0) @binding(0) var<uniform> parameters: Parameters;
@group(0) @binding(1) var<storage, read> rows: array<vec4f>; // (heads, count, 4 columns) f32
@group(0) @binding(2) var<storage, read_write> labels: array<u32>; // (heads, count) u32
// (heads, 2 grown + 4 most + 2 CUT_SAMPLE) u32: the rows that the tree grows on, those of a cluster side by side; the members of the
// cluster that is being cut, with BEYOND set on those beyond the hyperplane; first places and lengths of the clusters; the first cut of
// each cluster, and the cut that came after the one that made it and cut the same cluster, where 0 is none: a cut has the
// number of the cluster that it makes; the sample, as members and sorted.
@group(0) @binding(3) var<storage, read_write> order: array<u32>;
// (heads, 3 most + 1, 4 columns) f32: means of the clusters; normal and origin of the hyperplane that made each; what the moments are about.
@group(0) @binding(4) var<storage, read_write> means: array<vec4f>;

// First word of a head in `order`.
fn ordersOf(head: u32) -> u32 {
  return head * 2u * (parameters.grown + 2u * parameters.most + CUT_SAMPLE);
}

// First and length of a cluster in `order`, and behind the last of these its cuts.
fn placeOf(head: u32, label: u32) -> u32 {
  return ordersOf(head) + 2u * (parameters.grown + label);
}

fn cutsOf(head: u32, label: u32) -> u32 {
  return placeOf(head, parameters.most + label);
}

// First column of a head in `means`, and of the normal of the cut that made a cluster, which its origin follows.
fn vectorsOf(head: u32) -> u32 {
  return head * (3u * parameters.most + 1u) * parameters.columns;
}

fn normalOf(head: u32, label: u32) -> u32 {
  return vectorsOf(head) + (parameters.most + 2u * label) * parameters.columns;
}

fn centreOf(head: u32) -> u32 {
  return normalOf(head, parameters.most);
}
