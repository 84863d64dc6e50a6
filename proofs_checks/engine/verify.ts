import type { DeviceKind } from "../../kernels/backend.ts";
import { Device, openDevice } from "../../kernels/device.ts";
import { checkVerify } from "./check_options.ts";
import { checkSize } from "./check_size.ts";
import { type Choice, chooseCases, type Chosen, familySizeOf } from "./choose_cases.ts";
import { type Implementation, shipped } from "./implementation.ts";
import {
  VERIFICATION_SCHEMA,
  VERIFICATION_VERSION,
  type VerificationReport,
  type VerificationResult,
} from "./report.ts";
import { type CaseOutcome, runCase } from "./run_case.ts";
import { type Asked, claimText, toPoints, toResult } from "./to_result.ts";
import { decide, LEVEL, stoppingLevel } from "./verdicts.ts";

/** Options of {@link verify}. */
export interface VerifyOptions extends Choice {
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
  /** When the signal aborts, gives a report of the cases that are done, in place of rejecting. */
  readonly keepPartial?: boolean;
  /** Hears of each case when it is done; its verdict may still gain from others' by Holm's procedure. */
  readonly onResult?: (result: VerificationResult, done: number, total: number) => void;
}

/**
 * Checks claims on families of inputs, statistically, and says of each whether it holds. A case that throws has the verdict
 * `error` and a reason; the others go on.
 *
 * @throws {TypeError} If an option is unknown or of the wrong type, or something is neither the name of a claim nor a claim.
 * @throws {RangeError} If a name is unknown, a number out of range, or n too large for a claim.
 */
export async function verify(options: VerifyOptions = {}): Promise<VerificationReport> {
  checkVerify(options);
  const start = performance.now(), { seed = 1, runs, n, signal, implementation = shipped } = options;
  const all = chooseCases(options), cases = shareOf(all, options.shard);
  checkSize(all, n);
  const familySize = familySizeOf(options.claims);
  const own = options.device instanceof Device ? undefined : await openDevice({
    prefer: options.device ?? "wasm",
  });
  const device = own ?? options.device as Device;
  try {
    const outcomes: CaseOutcome[] = [], stopAt = stoppingLevel(familySize);
    const asked: Asked = { seed, n, device: device.kind };
    for (const [claim, claimCase] of cases) {
      const outcome = await runCase(claim, claimCase, {
        device,
        implementation,
        seed,
        runs,
        n,
        stopAt,
        signal,
      }).catch((error) => {
        if (options.keepPartial && signal?.aborted) return undefined;
        throw error;
      });
      if (!outcome) break;
      outcomes.push(outcome);
      const [decision] = decide([outcome.logPValues], familySize);
      options.onResult?.(toResult(outcome, decision, asked), outcomes.length, cases.length);
    }
    const decisions = decide(outcomes.map(({ logPValues }) => logPValues), familySize);
    return {
      schema: VERIFICATION_SCHEMA,
      version: VERIFICATION_VERSION,
      seed,
      device: device.kind,
      adapter: device.adapter,
      level: LEVEL,
      family_size: familySize,
      runs: runs ?? null,
      n: n ?? null,
      cases: all.length,
      shards: { count: options.shard?.count ?? 1, present: [options.shard?.index ?? 1] },
      seconds: (performance.now() - start) / 1000,
      ...(outcomes.length < cases.length && { interrupted: { done: outcomes.length, of: cases.length } }),
      claims: [...new Set(cases.map(([claim]) => claim))].map(claimText),
      results: outcomes.map((outcome, at) => toResult(outcome, decisions[at], asked)),
      points: outcomes.flatMap(toPoints),
    };
  } finally {
    own?.[Symbol.dispose]();
  }
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
