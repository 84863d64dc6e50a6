import type { Backend } from "../../../kernels/backend.ts";
import type { CostedAttention } from "../method.ts";
import type { HeadRun } from "../run_heads.ts";
import type { ProbeCounts } from "./probe_queries.ts";
import { placeExactRows, probeHeads } from "./probed_heads.ts";
import type { Problem } from "../../core/problem.ts";

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
  run: HeadRun,
  signal?: AbortSignal,
): Promise<CostedAttention> {
  const { keys, features, valueFeatures, largestValue } = problem, heads = run.count;
  const probed = probeHeads(backend, problem, counts, seed, run);
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
  const corrected = backend.addLinear({
    ...slope,
    heads,
    count: queries,
    features,
    valueFeatures,
    rows: centre.value,
    sameRow: true,
    query,
  });
  const along = backend.innerProducts({
    rows: query,
    directions: centre.key,
    heads,
    count: queries,
    width: features,
    projections: 1,
  });
  const outputs = [corrected, along, centre.logMass, exact.output, exact.logSumExp];
  const read = await backend.run(outputs, signal) as Float32Array[];
  const [output, logits, logMass, exactOutput, exactSums] = read;
  const logSumExp = logits.map((logit, row) => shape.scale * logit + logMass[Math.floor(row / queries)]);
  placeExactRows(probed, { output, logSumExp }, { output: exactOutput, logSumExp: exactSums });
  return { output, logSumExp, keyEvaluations: heads * (probes * keys + queries) };
}
