import { Device, openDevice } from "../../kernels/device.ts";
import { checkVerify, type VerifyOptions } from "./verify_options.ts";
import { askedFor } from "./asked.ts";
import { atDelta } from "./at_delta.ts";
import { checkSize } from "./check_size.ts";
import { chooseCases, type Chosen, familySizeOf } from "./choose_cases.ts";
import { shipped } from "./implementation.ts";
import { atLevel, casesAt, deltaOf } from "./levels.ts";
import type { ReplayOptions } from "./replay.ts";
import { VERIFICATION_SCHEMA, VERIFICATION_VERSION, type VerificationReport } from "./report.ts";
import { type CaseOutcome, runCase } from "./run_case.ts";
import { claimText, toPoints, toResult } from "./to_result.ts";
import { decide, LEVEL, stoppingLevel } from "./verdicts.ts";

/**
 * Checks claims on families of inputs, statistically, and says of each whether it holds. A case that throws has the verdict
 * `error` and a reason; the others go on.
 *
 * @throws {TypeError} If an option is unknown or of the wrong type, or something is neither the name of a claim nor a claim.
 * @throws {RangeError} If a name is unknown, a number out of range, or n too large for a claim.
 */
export async function verify(options: VerifyOptions = {}): Promise<VerificationReport> {
  checkVerify(options);
  const start = performance.now(), started = new Date().toISOString();
  const { code, machine, seed = 1, level = "quick", runs, n, delta, signal, implementation = shipped } =
    options;
  const all = casesAt(chooseCases(options), level, options.claims).map((chosen): Chosen => {
    const [claim, claimCase] = atLevel(chosen, level);
    return [atDelta(claim, delta ?? deltaOf(level)), claimCase];
  });
  const asked = askedFor(options), cases = shareOf(all, options.shard);
  checkSize(all, n);
  const familySize = familySizeOf(options.claims);
  const own = options.device instanceof Device ? undefined : await openDevice({
    prefer: options.device ?? "wasm",
  });
  const device = own ?? options.device as Device;
  try {
    const outcomes: CaseOutcome[] = [], stopAt = stoppingLevel(familySize);
    const replay: ReplayOptions = { seed, level, n, delta, device: device.kind, code };
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
      options.onResult?.(toResult(outcome, decision, replay), outcomes.length, cases.length);
    }
    const decisions = decide(outcomes.map(({ logPValues }) => logPValues), familySize);
    return {
      schema: VERIFICATION_SCHEMA,
      version: VERIFICATION_VERSION,
      seed,
      device: device.kind,
      adapter: device.adapter,
      ...(code && { code }),
      started,
      ...(machine && { machine }),
      ...(asked && { asked }),
      level: LEVEL,
      effort: level,
      family_size: familySize,
      runs: runs ?? null,
      n: n ?? null,
      delta: delta ?? null,
      cases: all.length,
      shards: { count: options.shard?.count ?? 1, present: [options.shard?.index ?? 1] },
      seconds: (performance.now() - start) / 1000,
      ...(outcomes.length < cases.length && { interrupted: { done: outcomes.length, of: cases.length } }),
      claims: [...new Map(cases.map(([claim]) => [claim.name, claim])).values()].map(claimText),
      results: outcomes.map((outcome, at) => toResult(outcome, decisions[at], replay)),
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
