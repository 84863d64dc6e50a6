import { type Backend, type DeviceArray, MASKED } from "./backend.ts";
import { DeviceLostError, DeviceUnavailableError } from "./errors.ts";
import type { KnownAnswer } from "./known_answers/known_answer.ts";
import { casesOf, SMALL } from "./known_answers/known_answers.ts";
import { ReferenceBackend } from "./reference/backend.ts";

/** Largest error, in units of the largest value of its array. */
const TOLERANCE = 1e-4;

/**
 * Compares what a backend gives for cases, by default those of every primitive, with the float64 reference. Drivers exist
 * that return zeros without an error, so that no primitive is trusted before this.
 *
 * @throws {DeviceUnavailableError} If an answer is off or there is none; the message names the primitive and the error.
 * @throws {DeviceLostError} If the device goes meanwhile.
 */
export async function selfTest(backend: Backend, cases: readonly KnownAnswer[] = casesOf()): Promise<void> {
  try {
    const recorded = cases.map((one) => record(backend, one));
    await checkAnswers(backend, cases, recorded, await backend.run(recorded.flat()));
  } finally {
    backend.reset();
  }
}

/** Records a case; the arrays are what it gives. */
export function record(backend: Backend, { primitive, prepare }: KnownAnswer): readonly DeviceArray[] {
  try {
    return prepare(backend, SMALL).answers();
  } catch (cause) {
    if (cause instanceof DeviceLostError) throw cause;
    throw untrusted(backend, primitive, `threw: ${(cause as Error).message}`, cause);
  }
}

/** Compares what was read of recorded cases with the right answers. */
export async function checkAnswers(
  backend: Backend,
  cases: readonly KnownAnswer[],
  recorded: readonly (readonly DeviceArray[])[],
  results: readonly (Float32Array | Uint32Array)[],
): Promise<void> {
  const reference = new ReferenceBackend();
  let first = 0;
  for (const [at, { primitive, prepare }] of cases.entries()) {
    const expected = await reference.run(prepare(reference, SMALL).answers());
    const actual = results.slice(first, first += recorded[at].length);
    expected.forEach((values, part) => {
      const wrong = firstWrong(values, actual[part]);
      if (wrong < 0) return;
      const found = `gave ${actual[part]?.[wrong]} at ${wrong} where ${values[wrong]} is right`;
      throw untrusted(backend, primitive, found);
    });
  }
}

/** The place of the first value that is not right, or −1. */
function firstWrong(expected: Float32Array | Uint32Array, actual: Float32Array | Uint32Array): number {
  if (expected instanceof Uint32Array) return expected.findIndex((word, at) => actual[at] !== word);
  // Numbers that stand for minus infinity, and no row, are no measure for the others.
  const largest = expected.reduce((most, x) => Math.abs(x) < -MASKED ? Math.max(most, Math.abs(x)) : most, 0);
  return expected.findIndex((x, at) =>
    !(Math.abs(x - actual[at]) <= TOLERANCE * Math.max(largest, Math.abs(x)))
  );
}

function untrusted(backend: Backend, primitive: string, found: string, cause?: unknown): Error {
  return new DeviceUnavailableError(
    `Cannot trust ${backend.kind} (${backend.adapter}): self test of ${primitive} ${found}`,
    cause === undefined ? undefined : { cause },
  );
}
