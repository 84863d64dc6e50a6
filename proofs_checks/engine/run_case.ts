import { type Device, runOn } from "../../kernels/device.ts";
import type { Claim, ClaimCase } from "./claim.ts";
import { type LogPValues, logPValues, summarise, type Summary } from "./evidence.ts";
import type { Implementation } from "./implementation.ts";
import { runSeed, SeedUse } from "./seeds.ts";

/** How the cases of a verification are run. */
export interface CaseOptions {
  readonly device: Device;
  readonly implementation: Implementation;
  readonly seed: number;
  /** Most runs; the claim's own number when left out. */
  readonly runs?: number;
  /** Keys; the claim's own number when left out. */
  readonly n?: number;
  /** p-value from which on more runs would not change a verdict. */
  readonly stopAt: number;
  readonly signal?: AbortSignal;
}

/** What a case gave. */
export interface CaseOutcome extends Summary {
  readonly claim: Claim;
  readonly case: ClaimCase;
  readonly runs: number;
  readonly n: number;
  readonly logPValues: LogPValues;
  /** The first run above the bound, or null. */
  readonly firstViolation: number | null;
  readonly plots: readonly Readonly<Record<string, number>>[];
  readonly seconds: number;
  /** What the source found out, or why a run broke off. */
  readonly note: string | null;
}

/** Runs a claim on one family until the evidence settles it or the runs are used up. */
export async function runCase(
  claim: Claim,
  claimCase: ClaimCase,
  options: CaseOptions,
): Promise<CaseOutcome> {
  const { device, implementation, seed, stopAt } = options, start = performance.now();
  const { source } = claimCase, n = options.n ?? claim.n, most = options.runs ?? claimCase.runs ?? claim.runs;
  const seedOf = (run: number, use: number) => runSeed(seed, claim.name, source.name, run, use);
  const stream = source.open(seedOf(0, SeedUse.source), most);
  const measured: number[] = [], plots: Record<string, number>[] = [];
  let values: LogPValues = { holds: 0, refuted: 0 }, note: string | null = null;
  while (measured.length < most) {
    options.signal?.throwIfAborted();
    const run = measured.length;
    let draws = 0;
    try {
      const found = await claim.run({
        device,
        implementation,
        family: source.name,
        n,
        run,
        seed: seedOf(run, SeedUse.estimator),
        input: (wanted = {}) =>
          Promise.resolve(stream.next({ n, ...wanted, seed: seedOf(run + 1e6 * draws++, SeedUse.input) })),
        on: (job) => runOn(device, (backend) => job(implementation.kernels(backend))),
      });
      measured.push(found.measured);
      if (found.plot) plots.push(found.plot);
      stream.observe?.(found.badness ?? found.measured / (claim.bound || 1));
    } catch (error) {
      options.signal?.throwIfAborted();
      // An implementation that breaks down has not kept its promise.
      measured.push(NaN);
      stream.observe?.(NaN);
      note ??= `run ${run}: ${(error as Error).message}`;
    }
    values = logPValues(claim, measured, measured.length === most);
    const settled = source.exhaustive ? values.refuted : Math.min(values.holds, values.refuted);
    if (settled <= Math.log(stopAt)) break;
  }
  const first = measured.findIndex((value) => !(value <= claim.bound));
  const counted = claim.rule.kind === "always" || claim.rule.kind === "probability";
  return {
    ...summarise(claim, measured),
    claim,
    case: claimCase,
    runs: measured.length,
    n,
    logPValues: values,
    firstViolation: counted && first >= 0 ? first : null,
    plots,
    seconds: (performance.now() - start) / 1000,
    note: note ?? stream.describe?.() ?? null,
  };
}
