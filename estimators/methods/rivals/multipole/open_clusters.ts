/** How clusters are chosen for one query. */
export interface OpeningRule {
  /** Keys that a query may see themselves, in place of their clusters. */
  readonly tokens: number;
  /** Clusters come by the estimated weight of one of their keys, as in the public code, or by that of all of them. */
  readonly rankBy: "key" | "mass";
  /** Whether the first cluster that does not fit ends the choice, as in the public code; others that fit follow it if not. */
  readonly stopsAtFirst: boolean;
}

/**
 * Clusters whose keys a query sees themselves: the heaviest, as long as their keys are no more than it may see.
 *
 * @param logits Of the centres.
 * @param sizes Keys of each cluster.
 */
export function openClusters(
  logits: ArrayLike<number>,
  sizes: Uint32Array,
  { tokens, rankBy, stopsAtFirst }: OpeningRule,
): number[] {
  const scores = Float64Array.from(
    logits,
    (logit, s) => rankBy === "mass" ? logit + Math.log(sizes[s]) : logit,
  );
  const ranked = Array.from(sizes.keys()).filter((s) => sizes[s] > 0).sort((a, b) =>
    scores[b] - scores[a] || a - b
  );
  const opened: number[] = [];
  let left = tokens;
  for (const s of ranked) {
    if (sizes[s] <= left) {
      opened.push(s);
      left -= sizes[s];
    } else if (stopsAtFirst) break;
    if (left === 0) break;
  }
  return opened;
}
