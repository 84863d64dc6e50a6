import type { Mutant } from "../mutant.ts";

const TREE = [
  "tree-single-keys",
  "tree-masses",
  "tree-exact-at-centres",
  "tree-bound",
  "tree-unseen-keys",
] as const;

/** Faults of methods that look for clusters of keys: routed attention, and a tree that clusters of queries open. */
export const tree: readonly Mutant[] = [
  {
    id: "T01",
    file: "estimators/methods/routed/routed.ts",
    fault: "queries are not stretched to the spread of keys",
    find: "return ratio > 0 && ratio < 2 ** 64 ? ratio : 1;",
    replace: "return ratio > 0 ? 1 : 1;",
    claims: ["routed-error"],
  },
  {
    id: "T02",
    file: "estimators/methods/routed/routed.ts",
    fault: "clusters of keys are looked at by queries of the next cluster",
    find: "queryRanks: tree.others, keyRanks: tree.labels, buckets };",
    replace: "queryRanks: tree.others, keyRanks: tree.others, buckets };",
    claims: ["routed-error", "finite-output"],
  },
  {
    id: "T03",
    file: "estimators/methods/tilted_tree/attend_lists.ts",
    fault: "keys are weighed without the scale",
    find: "clusters.means.map((x) => x * scale)",
    replace: "clusters.means.map((x) => x * (scale === 0 ? 0 : 1))",
    claims: TREE,
  },
  {
    id: "T04",
    file: "estimators/methods/tilted_tree/attend_lists.ts",
    fault: "the weights of entries are left out",
    find: "    logWeights: sums.logWeight,\n",
    replace: "",
    claims: TREE,
  },
  {
    id: "T05",
    file: "estimators/methods/tilted_tree/attend_lists.ts",
    fault: "values stay in their own order while keys are sorted",
    find: "value: inOrder(value, valueFeatures) };",
    replace: "value };",
    claims: TREE,
  },
  {
    id: "T06",
    file: "estimators/methods/tilted_tree/query_clusters.ts",
    fault: "a list ends one entry too early",
    find: "blocks.push(from, to, entry, end);",
    replace: "blocks.push(from, to, entry, Math.max(entry + 1, end - 1));",
    claims: TREE,
  },
  {
    id: "T07",
    file: "estimators/methods/tilted_tree/query_clusters.ts",
    fault: "the means of clusters are those of the first head",
    find: "means[(head * clusters + at) * width + c] =",
    replace: "means[at * width + c] =",
    claims: ["invariance-batch", ...TREE],
  },
  {
    id: "T08",
    file: "estimators/methods/tilted_tree/canonical_directions.ts",
    fault: "directions are those in which keys vary, whatever the queries",
    find: "congruent(turned, covariance(query, features), features)",
    replace: "congruent(turned, covariance(query.length > 0 ? key : query, features), features)",
    claims: ["tilted-error", "tree-error-falls"],
  },
  {
    id: "T09",
    file: "kernels/wasm/assembly/sum_lists.ts",
    fault: "the second order is left out of the weights of entries",
    find: "known + <f64>(entry.scatter / entry.mass / 2)",
    replace: "known",
    claims: TREE,
  },
  {
    id: "T10",
    file: "estimators/methods/tilted_tree/find_clusters.ts",
    fault: "the map of keys takes the wrong half of the root",
    find: "root[j * directions + i] * key[j * features + t]",
    replace: "root[i * directions + j] * key[j * features + t]",
    claims: ["tree-bound", "tilted-error", "tree-error-falls"],
  },
];
