/** Values of every wrong type, and what a good error about them is. */
import { AssertionError } from "@std/assert";

/** Wrong values by name; each is made anew, since some can be used only once. */
const makers: Readonly<Record<string, () => unknown>> = {
  "undefined": () => undefined,
  "null": () => null,
  "true": () => true,
  "a negative number": () => -1,
  "a fraction": () => 1.5,
  "NaN": () => NaN,
  "Infinity": () => Infinity,
  "a number beyond 2^53": () => 2 ** 60,
  "a bigint": () => 7n,
  "an empty text": () => "",
  "a text": () => "abacus",
  "a number as text": () => "3",
  "a long text": () => "\u001b[31m".repeat(2000),
  "a symbol": () => Symbol("abacus"),
  "a function": () => () => 1,
  "an empty array": () => [],
  "nested arrays": () => [[1, 0], [0, 1]],
  "an array of texts": () => ["a", "b"],
  "a sparse array": () => new Array(4),
  "an empty object": () => ({}),
  "an object without a prototype": () => Object.create(null),
  "a date": () => new Date(0),
  "a map": () => new Map([["shape", [1]]]),
  "a promise": () => Promise.resolve(1),
  "a Float32Array": () => new Float32Array(4),
  "a Float64Array": () => new Float64Array(4),
  "a BigInt64Array": () => new BigInt64Array(4),
  "a DataView": () => new DataView(new ArrayBuffer(4)),
  "a proxy of a Float32Array": () => new Proxy(new Float32Array(4), {}),
  "float64 data": () => ({ data: new Float64Array(4), shape: [2, 2] }),
  "data behind a proxy": () => ({ data: new Proxy(new Float32Array(4), {}), shape: [2, 2] }),
  "data that was transferred": () => {
    const data = new Float32Array(4);
    structuredClone(data, { transfer: [data.buffer] });
    return { data, shape: [2, 2] };
  },
  "data without a shape": () => ({ data: new Float32Array(4) }),
  "a typed shape": () => ({ data: new Float32Array(4), shape: Int32Array.of(2, 2) }),
  "a shape of texts": () => ({ data: new Float32Array(4), shape: ["2", "2"] }),
  "a sparse shape": () => ({ data: new Float32Array(4), shape: [2, , 2] }),
  "a huge shape": () => ({ data: new Float32Array(4), shape: [2 ** 40, 2 ** 40] }),
  "a shape of many dimensions": () => ({ data: new Float32Array(4), shape: new Array(1e5).fill(1) }),
};

/** Calls a function with a value in the place of one argument. */
export type Call = (value: unknown) => unknown;

/**
 * Calls with each wrong value in the place of one argument, and fails unless each is refused by name.
 *
 * @param name What errors must say, as a pattern.
 * @param takes Names of those values that are right here.
 */
export async function checkArgument(name: string, takes: readonly string[], call: Call): Promise<void> {
  const strange = takes.filter((what) => !(what in makers));
  if (strange.length > 0) throw new AssertionError({ message: `${name}: no such values: ${strange}` });
  for (const [what, make] of Object.entries(makers)) {
    if (takes.includes(what)) continue;
    const fail = (found: string): never => {
      throw new AssertionError({ message: `${name}: ${what}: ${found.slice(0, 300)}` });
    };
    let error: unknown;
    try {
      await call(make());
    } catch (thrown) {
      error = thrown;
    }
    if (error === undefined) fail("was taken");
    if (!(error instanceof TypeError || error instanceof RangeError)) fail(`ended in ${error}`);
    const { message } = error as Error;
    if (!message.startsWith("Cannot ")) fail(`does not begin with "Cannot": ${message}`);
    if (!new RegExp(name).test(message)) fail(`does not name it: ${message}`);
    if (RAW.test(message)) fail(`is the engine's own text: ${message}`);
    // Some list all names that there are; none repeats a long value.
    if (message.length > 3000 || message.includes("\u001b")) fail(`is not fit for a terminal: ${message}`);
  }
}

/** What engines say of code that took its argument on trust. */
const RAW =
  /Cannot (read propert|convert|destructure|set propert|mix BigInt|perform)|is not (a function|iterable|an object|a constructor)|undefined \(reading|Invalid (typed )?array/;
