import { ofHead } from "../../core/of_head.ts";
import { solve } from "../../linear_algebra/cholesky.ts";
import type { CanonicalDirections } from "./canonical_directions.ts";

/** Queries of a cluster whose looks say what its list is opened for; a cluster that has fewer among the sampled ones shows them again. */
export const NEAR_QUERIES = 32;

/** Heads whose queries have images. */
interface MappedHeads {
  readonly heads: number;
  readonly features: number;
  /** Factor on every inner product. */
  readonly scale: number;
  /** Of each head. */
  readonly maps: readonly CanonicalDirections[];
}

/**
 * Offsets of sampled queries from the means of their clusters, as keys see them: the spread of queries being R Rᵀ, the image y of a key Rᵀ x(k) and that of
 * a query R⁻¹ x(q), ⟨offset, y⟩ is what logits differ by. 0 for clusters of which no query was sampled, and where queries are their means.
 *
 * @param means [heads, clusters, features]: see `QueryClusters`
 * @param roots R of each head
 * @param rows [heads, sampled, directions]: images x(q)
 * @param labels [heads, sampled]: within its part
 * @param parts Equal runs of the sampled queries of a head, each with as many of the clusters
 * @param picks Queries of a cluster
 * @returns [heads, clusters, picks, directions]
 */
export function nearQueries(
  { heads, features, scale, maps }: MappedHeads,
  means: Float32Array,
  roots: readonly Float64Array[],
  rows: Float32Array,
  labels: Uint32Array,
  parts = 1,
  picks = NEAR_QUERIES,
): Float32Array {
  const width = maps[0].directions, centres = means.length / (heads * features);
  const offsets = new Float32Array(heads * centres * picks * width), offset = new Float64Array(width);
  for (let head = 0; head < heads; head++) {
    if (roots[head].every((x) => x === 0)) continue;
    const own = ofHead(rows, head, heads), members = Array.from({ length: centres }, (): number[] => []);
    const ofRows = ofHead(labels, head, heads);
    ofRows.forEach((label, row) => {
      members[Math.floor(row * parts / ofRows.length) * centres / parts + label].push(row);
    });
    members.forEach((found, centre) => {
      if (found.length === 0) return;
      const mean = means.subarray((head * centres + centre) * features), image = new Float64Array(width);
      for (let i = 0; i < width; i++) {
        for (let t = 0; t < features; t++) image[i] += scale * maps[head].query[i * features + t] * mean[t];
      }
      for (let pick = 0; pick < picks; pick++) {
        const row = found.length > picks
          ? found[Math.floor(pick * found.length / picks)]
          : found[pick % found.length];
        for (let i = 0; i < width; i++) offset[i] = own[row * width + i] - image[i];
        const at = ((head * centres + centre) * picks + pick) * width;
        offsets.set(solve(roots[head], offset, width), at);
      }
    });
  }
  return offsets;
}
