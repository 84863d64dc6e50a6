import { Device, openDevice } from "../../kernels/device.ts";
import type { DeviceKind } from "../../kernels/backend.ts";
import { claims as allClaims } from "../claims/claims.ts";
import { unfit } from "./check_names.ts";
import { checkVerify } from "./check_options.ts";
import { families as inputFamilies } from "../inputs/families.ts";
import { familySource } from "./cases.ts";
import type { Claim, ClaimCase, InputSource } from "./claim.ts";
import { ruleText } from "./rule_text.ts";
import { type Implementation, shipped } from "./implementation.ts";
import {
  type ClaimText,
  type PlotPoint,
  REPORT_VERSION,
  VERIFICATION_SCHEMA,
  type VerificationReport,
  type VerificationResult,
} from "./report.ts";
import { type CaseOutcome, runCase } from "./run_case.ts";
import { decide, type Decision, LEVEL, stoppingLevel } from "./verdicts.ts";

/** Options of {@link verify}. */
export interface VerifyOptions {
  /** Names of claims; all when left out. */
  readonly claims?: readonly string[];
  /** Names of families; those of each claim when left out. */
  readonly families?: readonly string[];
  /** Further sources of inputs, such as real data; every claim on attention inputs is checked on them. */
  readonly sources?: readonly InputSource[];
  /** Most runs of a case; the claim's own number when left out. */
  readonly runs?: number;
  /** Integer in [0, 2^53); 1 by default. */
  readonly seed?: number;
  /** Keys; the claim's own number when left out. */
  readonly n?: number;
  /** Run cases index, index + count, index + 2 count, … only, `index` from 1. */
  readonly shard?: { readonly index: number; readonly count: number };
  /** An open device, or the kind to open; "wasm" by default. */
  readonly device?: Device | DeviceKind;
  /** What is under test; the estimators of this package by default. */
  readonly implementation?: Implementation;
  readonly signal?: AbortSignal;
  /** Hears of each case when it is done; its verdict may still gain from others' by Holm's procedure. */
  readonly onResult?: (result: VerificationResult, done: number, total: number) => void;
}

/**
 * Checks claims on families of inputs, statistically, and says of each whether it holds.
 *
 * @throws {TypeError} If an option is unknown or of the wrong type.
 * @throws {RangeError} If a name is unknown or a number out of range.
 */
export async function verify(options: VerifyOptions = {}): Promise<VerificationReport> {
  checkVerify(options);
  const start = performance.now(), { seed = 1, shard, implementation = shipped } = options;
  const familySize = allClaims.reduce((sum, claim) => sum + claim.cases.length, 0);
  const cases = shareOf(chooseCases(options), shard);
  const own = options.device instanceof Device ? undefined : await openDevice({
    prefer: options.device ?? "wasm",
  });
  const device = own ?? options.device as Device;
  try {
    const outcomes: CaseOutcome[] = [], stopAt = stoppingLevel(familySize);
    for (const [claim, claimCase] of cases) {
      const { runs, n, signal } = options;
      const outcome = await runCase(claim, claimCase, {
        device,
        implementation,
        seed,
        runs,
        n,
        stopAt,
        signal,
      });
      outcomes.push(outcome);
      const [decision] = decide([outcome.logPValues], familySize);
      options.onResult?.(toResult(outcome, decision, seed, options.n), outcomes.length, cases.length);
    }
    const decisions = decide(outcomes.map(({ logPValues }) => logPValues), familySize);
    return {
      schema: VERIFICATION_SCHEMA,
      version: REPORT_VERSION,
      seed,
      device: device.kind,
      adapter: device.adapter,
      level: LEVEL,
      family_size: familySize,
      seconds: (performance.now() - start) / 1000,
      claims: [...new Set(cases.map(([claim]) => claim))].map(claimText),
      results: outcomes.map((outcome, at) => toResult(outcome, decisions[at], seed, options.n)),
      points: outcomes.flatMap(toPoints),
    };
  } finally {
    own?.[Symbol.dispose]();
  }
}

type Chosen = [Claim, ClaimCase];

/** The cases that names and sources stand for, in the order of the registry. */
export function chooseCases({ claims, families, sources = [] }: VerifyOptions): Chosen[] {
  const named = (names: readonly string[] | undefined, known: readonly string[], what: string) => {
    for (const name of names ?? []) if (!known.includes(name)) throw unfit(what, name, known);
    return (name: string) => names === undefined || names.includes(name);
  };
  const isChosen = named(claims, allClaims.map(({ name }) => name), "claim");
  const chosen = allClaims.filter(({ name }) => isChosen(name));
  const cases = chosen.flatMap((claim) => [
    ...claim.cases.map((claimCase): Chosen => [claim, claimCase]),
    ...(claim.anySource ? [...sources, ...furtherFamilies(claim, families)] : []).map((source): Chosen => [
      claim,
      { source, expected: "holds" },
    ]),
  ]);
  const isFamily = named(families, [...new Set(cases.map(([, { source }]) => source.name))], "family");
  return cases.filter(([, { source }]) => isFamily(source.name));
}

/** Families named by the user on which a claim is not checked by itself. */
function furtherFamilies({ cases }: Claim, names: readonly string[] = []): InputSource[] {
  const own = cases.map(({ source }) => source.name);
  return inputFamilies.filter(({ name }) => names.includes(name) && !own.includes(name)).map((family) =>
    familySource(family)
  );
}

function shareOf(cases: readonly Chosen[], shard: VerifyOptions["shard"]): Chosen[] {
  if (!shard) return [...cases];
  const { index, count } = shard;
  if (!Number.isInteger(count) || !Number.isInteger(index) || index < 1 || index > count) {
    throw new RangeError(
      `Cannot verify: shard must be I/N with 1 <= I <= N: current value is ${index}/${count}`,
    );
  }
  return cases.filter((_, at) => at % count === index - 1);
}

function toResult(outcome: CaseOutcome, decision: Decision, seed: number, n?: number): VerificationResult {
  const { claim, case: { source, expected, why }, runs, interval, logPValues } = outcome;
  // JSON knows no infinity: a p-value of 0 is written as that of a thousand nats.
  const finite = (log: number) => Math.max(-1000, log);
  return {
    claim: claim.name,
    family: source.name,
    ...decision,
    expected,
    why: why ?? null,
    measured: outcome.measured,
    bound: claim.bound,
    margin: outcome.margin,
    worst: outcome.worst,
    violations: outcome.violations,
    interval: interval && [interval.lower, interval.upper],
    runs,
    n: outcome.n,
    log_p: { holds: finite(logPValues.holds), refuted: finite(logPValues.refuted) },
    first_violation: outcome.firstViolation,
    seconds: outcome.seconds,
    note: outcome.note,
    replay:
      `deno run -A cli.ts verify --claim ${claim.name} --family ${source.name} --seed ${seed} --runs ${runs}` +
      (n === undefined ? "" : ` --n ${n}`),
  };
}

function toPoints({ claim, case: { source }, plots }: CaseOutcome): PlotPoint[] {
  return plots.map((plot) => ({ claim: claim.name, family: source.name, ...plot }));
}

function claimText(claim: Claim): ClaimText {
  const { name, statement, formula, source, assumptions, measurement, rule, bound } = claim;
  return { name, statement, formula, source, assumptions, measurement, rule: ruleText(rule, bound) };
}
