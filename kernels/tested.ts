import type { Backend, DeviceArray } from "./backend.ts";
import { DeviceLostError } from "./errors.ts";
import type { KnownAnswer } from "./known_answers/known_answer.ts";
import { casesOf, knownAnswers } from "./known_answers/known_answers.ts";
import type { PrimitiveName } from "./primitives.ts";
import { checkAnswers, record, selfTest } from "./self_test.ts";

/** What is tested before a device counts as open: what most methods are made of. */
const AT_OPENING: readonly PrimitiveName[] = [
  "attend",
  "softmaxRows",
  "mergeAttention",
  "columnMean",
  "gatherRows",
  "angularHash",
  "sortByBucket",
  "keyImportance",
  "sampleKeys",
];

/**
 * A backend that passed the self test of what most methods are made of. The other primitives are tested when they are first
 * used: their cases run together with the work that uses them, whose results are not given away unless the answers are right.
 *
 * @throws {DeviceUnavailableError} If an answer is off; so does `run`.
 */
export async function openTested(backend: Backend): Promise<Backend> {
  const cases = casesOf(AT_OPENING).filter(({ covers }) => !covers);
  await selfTest(backend, cases);
  return testAtFirstUse(backend, new Set(cases));
}

/** A backend that tests each primitive when it is first used, but for cases that it has passed. */
export function testAtFirstUse(backend: Backend, passed: Set<KnownAnswer> = new Set()): Backend {
  const used = new Set<KnownAnswer>();

  async function run(outputs: readonly DeviceArray[], signal?: AbortSignal) {
    const cases = [...used];
    if (cases.length === 0) return await backend.run(outputs, signal);
    const recorded = cases.map((one) => record(backend, one));
    let results: (Float32Array | Uint32Array)[];
    try {
      results = await backend.run([...outputs, ...recorded.flat()], signal);
    } catch (error) {
      // Work that breaks down on a primitive that breaks down by itself says nothing of the work.
      if (!signal?.aborted && !(error instanceof DeviceLostError)) await selfTest(backend, cases);
      throw error;
    }
    await checkAnswers(backend, cases, recorded, results.splice(outputs.length));
    for (const one of cases) {
      passed.add(one);
      used.delete(one);
    }
    return results;
  }

  /** Notes the cases that stand for a call. */
  function note(name: PrimitiveName, args: never): void {
    for (const one of knownAnswers[name] as unknown as readonly KnownAnswer[]) {
      if (!passed.has(one) && (!one.covers || one.covers(args))) used.add(one);
    }
  }

  return new Proxy(backend, {
    get(target, name) {
      if (name === "run") return run;
      const member = Reflect.get(target, name);
      if (typeof member !== "function") return member;
      if (!Object.hasOwn(knownAnswers, name)) return member.bind(target);
      return (args: never) => {
        note(name as PrimitiveName, args);
        return member.call(target, args);
      };
    },
  });
}
