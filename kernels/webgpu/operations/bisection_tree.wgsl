// A tree of hyperplanes over the rows of each head: where it lies. Behind member_of_part.wgsl. bisect_rows.wgsl grows it, descend_rows.wgsl uses it.
// parameters.heads, count: rows of each head; columns: vec4s of a row; most: clusters that there is room for;
// budget, perCluster: when to end; cuts, work: cuts and inner products after which a dispatch leaves the rest to the next one;
// every: rows of a part, of which the tree grows on one; grown: how many these are; levels, nodes, level: see cut_levels.wgsl, both 0 where
// it has no part in it.

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
  levels: u32,
  nodes: u32,
  level: u32,
}

// Marks members beyond the hyperplane of their cluster.
const BEYOND = 0x80000000u;
// Words of a node: key, first place, length, state, first child, parent, scatter; then rank, what was spent and made before, and
// whether it is cut in its turn; the cost of its cut. The key is the scatter, or that of an ancestor if rounding made that less. The parent counts twice,
// with 1 for the far side.
const NODE_WORDS = 12u;
const UNCUT = 0u;
const CUT = 1u;
const FAILED = 2u;

@group(0) @binding(0) var<uniform> parameters: Parameters;
@group(0) @binding(1) var<storage, read> rows: array<vec4f>; // (heads, count, 4 columns) f32
@group(0) @binding(2) var<storage, read_write> labels: array<u32>; // (heads, count) u32
// (heads, 2 grown + 4 most + levels · grown + NODE_WORDS nodes) u32: the rows that the tree grows on, those of a cluster side by side;
// the members of the cluster that is being cut, with BEYOND set on those beyond the hyperplane; first places and lengths of the
// clusters; the first cut of each cluster, and the cut that came after the one that made it and cut the same cluster, where 0 is
// none: a cut has the number of the cluster that it makes; the rows once more for each level behind the first, and the nodes.
@group(0) @binding(3) var<storage, read_write> order: array<u32>;
// (heads, 3 most + 1 + 3 nodes, 4 columns) f32: means of the clusters; normal and origin of the hyperplane that made each; what the
// moments are about; mean, normal and origin of the nodes.
@group(0) @binding(4) var<storage, read_write> means: array<vec4f>;

// First word of a head in `order`.
fn ordersOf(head: u32) -> u32 {
  let levels = parameters.levels * parameters.grown;
  return head * (2u * (parameters.grown + 2u * parameters.most) + levels + NODE_WORDS * parameters.nodes);
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
  return head * (3u * (parameters.most + parameters.nodes) + 1u) * parameters.columns;
}

fn normalOf(head: u32, label: u32) -> u32 {
  return vectorsOf(head) + (parameters.most + 2u * label) * parameters.columns;
}

fn centreOf(head: u32) -> u32 {
  return normalOf(head, parameters.most);
}

// Members of the nodes of a level.
fn levelOf(head: u32, level: u32) -> u32 {
  return select(cutsOf(head, parameters.most) + (level - 1u) * parameters.grown, ordersOf(head), level == 0u);
}

fn nodeOf(head: u32, node: u32) -> u32 {
  return cutsOf(head, parameters.most) + parameters.levels * parameters.grown + NODE_WORDS * node;
}

// First column of a node's mean, which its normal and its origin follow.
fn nodeVectors(head: u32, node: u32) -> u32 {
  return centreOf(head) + (1u + 3u * node) * parameters.columns;
}

// The row that stands for a part.
fn rowOfPart(at: u32) -> u32 {
  return memberOfPart(at, parameters.every, parameters.count);
}

fn strideFor(length: u32, most: u32) -> u32 {
  return (length + most - 1u) / most;
}

fn stridedCount(length: u32, most: u32) -> u32 {
  return strideFor(length, strideFor(length, most));
}

// Products that a cut of so many members takes.
fn costOf(length: u32) -> u32 {
  return length * parameters.every + stridedCount(length, CUT_SAMPLE) + stridedCount(length, PIVOT_CANDIDATES);
}

// Whether a budget pays for a cut, and for the cluster that it makes.
fn isAffordable(spent: u32, made: u32, length: u32) -> bool {
  let used = spent + made * parameters.perCluster;
  let left = max(parameters.budget, used) - used;
  return left >= parameters.perCluster && left - parameters.perCluster >= costOf(length);
}
