/**
 * Stand-in for the part of @std/assert that the tests use, for machines that cannot reach JSR. Its contract
 * is checked by `assert_test.ts` against whichever of the two is resolved.
 */
import { AssertionError, deepStrictEqual } from "node:assert";

export { AssertionError };

type ErrorClass<E extends Error> = new (...args: never[]) => E;

function withMessage(text: string, message?: string): string {
  return message ? `${text}: ${message}` : text;
}

/** Fails. */
export function fail(message?: string): never {
  throw new AssertionError({ message: withMessage("Failed assertion", message) });
}

/** Passes if the expression is truthy. */
export function assert(expression: unknown, message = ""): asserts expression {
  if (!expression) throw new AssertionError({ message });
}

/** Passes if both values are deeply equal. */
export function assertEquals<T>(actual: T, expected: T, message?: string): void {
  try {
    deepStrictEqual(actual, expected);
  } catch (error) {
    throw new AssertionError({ message: withMessage((error as Error).message, message) });
  }
}

/** Passes if the values are not deeply equal. */
export function assertNotEquals<T>(actual: T, expected: T, message?: string): void {
  try {
    deepStrictEqual(actual, expected);
  } catch {
    return;
  }
  throw new AssertionError({
    message: withMessage(`Expected values to differ from ${String(expected)}`, message),
  });
}

/** Passes if |actual − expected| <= tolerance (by default 1e-7 relative to expected). */
export function assertAlmostEquals(
  actual: number,
  expected: number,
  tolerance?: number,
  message?: string,
): void {
  if (Object.is(actual, expected)) return;
  const allowed = tolerance ?? (Number.isFinite(expected) ? Math.abs(expected * 1e-7) : 1e-7);
  if (Math.abs(actual - expected) <= allowed) return;
  throw new AssertionError({
    message: withMessage(`Expected ${actual} to be within ${allowed} of ${expected}`, message),
  });
}

/** Passes if actual > expected. */
export function assertGreater<T>(actual: T, expected: T, message?: string): void {
  if (!(actual > expected)) fail(withMessage(`Expect ${actual} > ${expected}`, message));
}

/** Passes if actual >= expected. */
export function assertGreaterOrEqual<T>(actual: T, expected: T, message?: string): void {
  if (!(actual >= expected)) fail(withMessage(`Expect ${actual} >= ${expected}`, message));
}

/** Passes if actual < expected. */
export function assertLess<T>(actual: T, expected: T, message?: string): void {
  if (!(actual < expected)) fail(withMessage(`Expect ${actual} < ${expected}`, message));
}

/** Passes if actual <= expected. */
export function assertLessOrEqual<T>(actual: T, expected: T, message?: string): void {
  if (!(actual <= expected)) fail(withMessage(`Expect ${actual} <= ${expected}`, message));
}

/** Passes if the string contains the part. */
export function assertStringIncludes(actual: string, expected: string, message?: string): void {
  if (!actual.includes(expected)) fail(withMessage(`Expected "${actual}" to contain "${expected}"`, message));
}

/** Passes if the string matches. */
export function assertMatch(actual: string, expected: RegExp, message?: string): void {
  if (!expected.test(actual)) fail(withMessage(`Expected "${actual}" to match ${expected}`, message));
}

/** Passes if the value is an instance of the class. */
export function assertInstanceOf<E>(
  actual: unknown,
  expected: abstract new (...args: never[]) => E,
  message = "",
): asserts actual is E {
  if (!(actual instanceof expected)) fail(withMessage(`Expected an instance of ${expected.name}`, message));
}

function checkError<E extends Error>(
  error: unknown,
  type?: ErrorClass<E>,
  includes?: string,
  message?: string,
): E {
  if (type && !(error instanceof type)) {
    fail(withMessage(`Expected error to be instance of "${type.name}" but was ${String(error)}`, message));
  }
  const text = (error as Error)?.message ?? String(error);
  if (includes !== undefined && !text.includes(includes)) {
    fail(withMessage(`Expected error message to include "${includes}", but got "${text}"`, message));
  }
  return error as E;
}

/** Passes if the function throws an error of the class whose message includes the text. */
export function assertThrows<E extends Error = Error>(
  body: () => unknown,
  type?: ErrorClass<E>,
  includes?: string,
  message?: string,
): E {
  try {
    body();
  } catch (error) {
    return checkError(error, type, includes, message);
  }
  fail(withMessage("Expected function to throw", message));
}

/** Passes if the promise rejects with an error of the class whose message includes the text. */
export async function assertRejects<E extends Error = Error>(
  body: () => PromiseLike<unknown>,
  type?: ErrorClass<E>,
  includes?: string,
  message?: string,
): Promise<E> {
  try {
    await body();
  } catch (error) {
    return checkError(error, type, includes, message);
  }
  fail(withMessage("Expected function to reject", message));
}
