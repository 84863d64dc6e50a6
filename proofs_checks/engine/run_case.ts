import { type Device, runJob } from "../../kernels/device.ts";
import type { AttentionInput } from "../inputs/family.ts";
import type { Claim, ClaimCase, InputStream } from "./claim.ts";
import {
  type LogEValues,
  logEValues,
  type LogPValues,
  logPValues,
  summarise,
  type Summary,
} from "./evidence.ts";
import { type Detectable, detectable, NOTHING_DETECTABLE } from "./detectable.ts";
import { DELTA } from "../claims/settings.ts";
import { eventLoopTurn } from "./event_loop.ts";
import type { Implementation } from "./implementation.ts";
import { NotApplicable } from "./outcome.ts";
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

/** Why a case has no verdict. */
export interface Broken {
  readonly verdict: "error" | "not-applicable";
  readonly reason: string;
}

/** What a case gave. */
export interface CaseOutcome extends Summary {
  readonly claim: Claim;
  readonly case: ClaimCase;
  /** Null where the runs went through. */
  readonly broken: Broken | null;
  readonly runs: number;
  /** Runs that it might have made. */
  readonly most: number;
  readonly n: number;
  readonly logPValues: LogPValues;
  readonly logEValues: LogEValues;
  readonly detects: Detectable;
  /** The first run above the bound, or null. */
  readonly firstViolation: number | null;
  /** Share of the runs in which the statement was at stake; null where the claim does not say, or nothing ran. */
  readonly telling: number | null;
  readonly plots: readonly Readonly<Record<string, number>>[];
  readonly seconds: number;
  /** What the source found out, or which run measured no number. */
  readonly note: string | null;
}

/**
 * Runs a claim on one family until the evidence settles it, the runs are used up, or one throws. An error is no evidence: data
 * that cannot be fetched and a device that is lost say nothing of the claim. NaN that a claim measures is: it is above any bound.
 */
export async function runCase(
  claim: Claim,
  claimCase: ClaimCase,
  options: CaseOptions,
): Promise<CaseOutcome> {
  const { device, implementation, seed, stopAt } = options, start = performance.now();
  const { source } = claimCase, n = options.n ?? claim.n, most = options.runs ?? claimCase.runs ?? claim.runs;
  const seedOf = (run: number, use: number) => runSeed(seed, claim.name, source.name, run, use);
  const perInput = source.exhaustive ? 1 : claim.runsPerInput ?? 1;
  const drawn: { input: number; values: (AttentionInput | Promise<AttentionInput>)[] } = {
    input: -1,
    values: [],
  };
  const measured: number[] = [], telling: (boolean | undefined)[] = [], plots: Record<string, number>[] = [];
  let values = UNDECIDED, broken: Broken | null = null, stream: InputStream | undefined;
  try {
    const inputs = stream = source.open(seedOf(0, SeedUse.source), most);
    while (measured.length < most) {
      options.signal?.throwIfAborted();
      const run = measured.length, shared = Math.floor(run / perInput);
      if (drawn.input !== shared) Object.assign(drawn, { input: shared, values: [] });
      let draws = 0;
      const found = await claim.run({
        device,
        implementation,
        family: source.name,
        n,
        delta: "allowed" in claim.rule ? claim.rule.allowed : DELTA,
        run,
        seed: seedOf(run, SeedUse.estimator),
        input: async (wanted = {}) => {
          const draw = draws++, seed = seedOf(shared + 1e6 * draw, SeedUse.input);
          return await (drawn.values[draw] ??= inputs.next({ n, ...wanted, seed }));
        },
        on: (job) => runJob(device, (backend) => job(implementation.kernels(backend))),
      });
      // So that whoever waits for the verification can abort it.
      await eventLoopTurn();
      measured.push(found.measured);
      telling.push(found.telling);
      if (found.plot) plots.push(found.plot);
      inputs.observe?.(found.badness ?? found.measured / (claim.bound || 1));
      values = logPValues(claim, measured, measured.length === most);
      const settled = source.exhaustive ? values.refuted : Math.min(values.holds, values.refuted);
      if (settled <= Math.log(stopAt)) break;
    }
  } catch (error) {
    options.signal?.throwIfAborted();
    broken = whyBroken(error, measured.length, n);
    values = UNDECIDED;
  }
  const first = measured.findIndex((value) => !(value <= claim.bound));
  const counted = claim.rule.kind === "always" || claim.rule.kind === "probability";
  const noNumber = measured.findIndex((value) => !Number.isFinite(value));
  return {
    ...(measured.length > 0 ? summarise(claim, measured) : NOTHING),
    claim,
    case: claimCase,
    broken,
    runs: measured.length,
    most,
    n,
    logPValues: values,
    logEValues: broken ? UNDECIDED : logEValues(claim, measured, measured.length === most),
    detects: broken ? NOTHING_DETECTABLE : detectable(claim, measured, most, stopAt),
    firstViolation: counted && first >= 0 ? first : null,
    telling: shareOfTelling(telling),
    plots,
    seconds: (performance.now() - start) / 1000,
    note: broken?.reason ??
      (noNumber >= 0 ? `run ${noNumber} measured ${measured[noNumber]}` : stream?.describe?.() ?? null),
  };
}

const UNDECIDED: LogPValues = { holds: 0, refuted: 0 };
/** The summary of no runs. */
const NOTHING: Summary = { measured: NaN, margin: NaN, worst: NaN, violations: null, interval: null };

function whyBroken(error: unknown, run: number, n: number): Broken {
  const message = error instanceof Error ? error.message : String(error);
  // Whether a claim applies is seen before anything is measured, or it could be made to look away.
  return error instanceof NotApplicable && run === 0
    ? { verdict: "not-applicable", reason: `not applicable at n = ${n}: ${message}` }
    : { verdict: "error", reason: `run ${run}: ${message}` };
}

/** Share of the runs in which the statement was at stake; null where none says, since it always is. */
function shareOfTelling(telling: readonly (boolean | undefined)[]): number | null {
  if (telling.every((told) => told === undefined)) return null;
  return telling.filter((told) => told ?? true).length / telling.length;
}
