import type { Backend } from "../../../kernels/backend.ts";
import { ofHead } from "../../core/of_head.ts";
import type { HeldOutRows } from "../held_out.ts";
import type { CostedAttention } from "../method.ts";
import type { HeadRun } from "../run_heads.ts";
import type { HostAttention } from "../../core/exact.ts";
import type { ProbeCounts } from "../shared/probe_queries.ts";
import { heldOutRows, placeExactRows, type ProbedHeads, probeHeads } from "../shared/probed_heads.ts";
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
  const read = await backend.run(
    [...outputs, slope.output, centre.value, probed.valueMean],
    signal,
  ) as Float32Array[];
  const [output, logits, logMass, exactOutput, exactSums, rest, centreValue, meanValue] = read;
  const logSumExp = logits.map((logit, row) => shape.scale * logit + logMass[Math.floor(row / queries)]);
  const exactRows = { output: exactOutput, logSumExp: exactSums };
  const heldOut = leaveOneOut(probed, exactRows, { output, logSumExp, rest, centreValue, meanValue });
  placeExactRows(probed, { output, logSumExp }, exactRows);
  return { output, logSumExp, keyEvaluations: heads * (probes * keys + queries), heldOut };
}

/** What was fitted, and what the linear function leaves of the exact outputs of the probes. */
interface Fitted extends HostAttention {
  readonly rest: Float32Array;
  readonly centreValue: Float32Array;
  readonly meanValue: Float32Array;
}

/**
 * What each probe would have been answered without its part in the means: of the other probes' outputs, of what the linear
 * function says of them, and of their log-sum-exps. No rows are spared for a test where there are so few.
 */
function leaveOneOut(
  probed: ProbedHeads,
  exact: HostAttention,
  { rest, centreValue, meanValue, ...fitted }: Fitted,
): HeldOutRows[] {
  const { shape: { heads, valueFeatures: width }, probes } = probed, others = probes - 1;
  const held = heldOutRows(probed, probes, fitted, meanValue);
  held.forEach((own, head) => {
    const rows = exact.output.subarray(head * probes * width, (head + 1) * probes * width);
    const sum = new Float64Array(width), mean = own.meanValue, centre = ofHead(centreValue, head, heads);
    rows.forEach((x, at) => sum[at % width] += x);
    let cross = 0, square = 0;
    for (let c = 0; c < width; c++) {
      const away = sum[c] / probes - mean[c];
      cross += away * (centre[c] - mean[c]);
      square += away * away;
    }
    const share = square > 0 ? cross / square : 0;
    rows.forEach((x, at) => {
      const c = at % width, linear = (x - rest[head * rows.length + at]) * probes / others;
      own.output[at] = mean[c] + share * ((sum[c] - x) / others - mean[c]) + linear;
    });
    own.logSumExp.forEach((x, at) => {
      own.logSumExp[at] += (x - exact.logSumExp[head * probes + at]) / others;
    });
  });
  return held;
}
