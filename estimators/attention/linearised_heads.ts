import type { Backend } from "../../kernels/backend.ts";
import type { CostedAttention } from "./approximate.ts";
import type { ProbeCounts } from "./probe_queries.ts";
import { probeHeads, readProbed } from "./probed_heads.ts";
import type { Problem } from "./problem.ts";

/** Keys of a head from which the linear function is estimated, about. */
const SAMPLED_KEYS = 512;

/**
 * One submission for a run of heads: exact rows, one point that stands for all keys, and the linear function of the query
 * that is missing in its output to first order.
 */
export async function lineariseHeads(
  backend: Backend,
  problem: Problem,
  counts: ProbeCounts,
  seed: number,
  firstHead: number,
  heads: number,
  signal?: AbortSignal,
): Promise<CostedAttention> {
  const { keys, features, valueFeatures, largestValue } = problem;
  const probed = probeHeads(backend, problem, counts, seed, firstHead, heads);
  const { shape, queries, query, probes, probeRows, exact } = probed;
  const fit = {
    probes,
    fitted: probes,
    even: probes,
    otherWeight: 1,
    most: 1,
    sampled: SAMPLED_KEYS,
    largestValue,
  };
  const given = { ...shape, ...fit, query: probeRows, probabilities: exact.probabilities };
  const centre = backend.fitCentre({
    ...given,
    logSumExp: exact.logSumExp,
    output: exact.output,
    mean: probed.valueMean,
  });
  const slope = backend.fitSlope({ ...given, points: centre, exact: exact.output });
  const output = backend.addLinear({
    ...slope,
    heads,
    count: queries,
    features,
    valueFeatures,
    rows: centre.value,
    sameRow: true,
    query,
  });
  // Only the sums of attention to the point are of use: their values are the shortest at hand.
  const { logSumExp } = backend.attend({
    ...shape,
    queries,
    query,
    keys: 1,
    valueFeatures: 1,
    key: centre.key,
    value: centre.logMass,
    logWeights: centre.logMass,
  });
  const read = await readProbed(backend, probed, { output, logSumExp }, [], signal);
  return { ...read, keyEvaluations: heads * (probes * keys + queries) };
}
