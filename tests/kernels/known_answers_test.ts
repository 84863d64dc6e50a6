import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import type { Backend, DeviceArray } from "../../kernels/backend.ts";
import { type Device, openAmong } from "../../kernels/device.ts";
import { DeviceUnavailableError } from "../../kernels/errors.ts";
import { casesOf, knownAnswers, primitiveNames, SMALL } from "../../kernels/known_answers/known_answers.ts";
import type { PrimitiveName } from "../../kernels/primitives.ts";
import { floats, words } from "../../kernels/reference/array.ts";
import { ReferenceBackend } from "../../kernels/reference/backend.ts";
import { selfTest } from "../../kernels/self_test.ts";
import { openTested, testAtFirstUse } from "../../kernels/tested.ts";
import { attention, tensor } from "../../mod.ts";
import { onEachBackend } from "../backends.ts";
import { normals } from "../data.ts";

/** What a backend has beside its primitives. */
const OTHER_METHODS = ["attendRounding", "upload", "run", "reset", "trim", "destroy", "constructor"];

/** The reference with another function in the place of a primitive, made of its own. */
function withPrimitive(
  name: PrimitiveName,
  make: (own: (args: never) => object) => (args: never) => unknown,
): Backend {
  const backend = new ReferenceBackend();
  return Object.assign(backend, { [name]: make(backend[name] as (args: never) => object) });
}

/** The reference with zeros in the place of one array that a primitive gives. */
function zeroing(name: PrimitiveName, array: number): Backend {
  return withPrimitive(name, (own) => (args) => {
    const result = own(args);
    const zeros = ({ type, length }: DeviceArray) =>
      type === "word" ? words(new Uint32Array(length)) : floats(new Float64Array(length));
    if ("length" in result) return zeros(result as DeviceArray);
    const names = Object.keys(result);
    assert(array < names.length);
    return { ...result, [names[array]]: zeros((result as Record<string, DeviceArray>)[names[array]]) };
  });
}

/** Arrays that a primitive gives. */
function arraysOf(name: PrimitiveName): number {
  let arrays = 0;
  const backend = withPrimitive(name, (own) => (args) => {
    const result = own(args);
    arrays = "length" in result ? 1 : Object.keys(result).length;
    return result;
  });
  knownAnswers[name][0].prepare(backend, SMALL).call();
  return arrays;
}

/** Opens the first of these backends, with the others to fall back to. */
async function openAll(...backends: Backend[]): Promise<{ device: Device; warnings: string[] }> {
  const warnings: string[] = [];
  const openers = backends.map((backend) => ({ name: "a backend", open: () => Promise.resolve(backend) }));
  const settings = { patience: 15, warn: (message: string) => void warnings.push(message) };
  return { device: await openAmong(openers, settings), warnings };
}

Deno.test("there are known answers for every primitive of a backend", () => {
  const backend = new ReferenceBackend();
  const members = [...Object.keys(backend), ...Object.getOwnPropertyNames(ReferenceBackend.prototype)];
  const primitives = members.filter((name) =>
    typeof (backend as Backend)[name as keyof Backend] === "function" && !OTHER_METHODS.includes(name)
  );
  assertEquals(primitives.sort(), [...primitiveNames].sort());
});

onEachBackend("every primitive passes the self test", (backend) => selfTest(backend));

for (const name of primitiveNames) {
  Deno.test(`the self test refuses a backend whose ${name} gives zeros`, async () => {
    for (let array = 0; array < arraysOf(name); array++) {
      const error = await assertRejects(() => selfTest(zeroing(name, array)), DeviceUnavailableError);
      assertStringIncludes(
        error.message,
        `Cannot trust reference (float64 TypeScript): self test of ${name} gave`,
      );
    }
  });

  Deno.test(`the self test refuses a backend whose ${name} throws`, async () => {
    const broken = withPrimitive(name, () => () => {
      throw new Error("no such kernel");
    });
    const error = await assertRejects(() => selfTest(broken), DeviceUnavailableError);
    assertStringIncludes(error.message, `self test of ${name} threw: no such kernel`);
  });

  Deno.test(`a backend whose ${name} gives zeros is refused before a result can be read`, async () => {
    const backend = testAtFirstUse(zeroing(name, 0));
    const work = casesOf([name]).map((one) => one.prepare(backend, SMALL).answers()).flat();
    await assertRejects(() => backend.run(work), DeviceUnavailableError, "Cannot trust reference");
  });
}

Deno.test("known answers hang on no rounding of their inputs", async () => {
  /** The reference, which disturbs what is uploaded by some units in the last place. */
  class Disturbing extends ReferenceBackend {
    #stream = 0;
    override upload(data: Float32Array | Uint32Array): DeviceArray {
      if (data instanceof Uint32Array) return super.upload(data);
      const noise = normals(++this.#stream, data.length, 2 ** -22);
      return super.upload(data.map((x, at) => x * (1 + noise[at])));
    }
  }
  await selfTest(new Disturbing());
});

Deno.test("a primitive is tested once, together with the work that is the first to use it", async () => {
  class Counting extends ReferenceBackend {
    readonly read: number[] = [];
    override run(outputs: readonly DeviceArray[], signal?: AbortSignal) {
      this.read.push(outputs.length);
      return super.run(outputs, signal);
    }
  }
  const counting = new Counting(), backend = await openTested(counting);
  const opening = counting.read.length;
  const add = () => {
    const rows = backend.upload(new Float32Array(4)),
      shape = { heads: 1, count: 1, features: 1, valueFeatures: 1 };
    return backend.run([backend.addLinear({ ...shape, rows, query: rows, slope: rows, offset: rows })]);
  };
  assertEquals((await add()).length, 1);
  assertEquals((await add()).length, 1);
  const [first, second, ...others] = counting.read.slice(opening);
  assertEquals([others, second], [[], 1]);
  assert(first > 1);
});

Deno.test("a device that computes wrongly at its first use is given up loudly, and the job is run again", async () => {
  const q = tensor(normals(1, 640 * 8), [640, 8]), v = tensor(normals(2, 640 * 4), [640, 4]);
  const options = { method: "calibrated", bucketSize: 16, samples: 32 } as const;
  const { device, warnings } = await openAll(zeroing("fitPoints", 1), new ReferenceBackend());
  const { output, stats } = await attention(q, q, v, { ...options, device });
  assertEquals(output.data, (await attention(q, q, v, { ...options, device: "reference" })).output.data);
  assertStringIncludes(stats.fellBack!, "was given up: Cannot trust reference");
  assertStringIncludes(stats.fellBack!, "self test of fitPoints gave 0 at 0 where");
  assertEquals(warnings.length, 1);
  // What computes wrongly is not tried again.
  assertStringIncludes((await attention(q, q, v, { ...options, device })).stats.fellBack!, "was given up");
  assertEquals(warnings.length, 1);
  await device.dispose();
});

Deno.test("a device that computes wrongly at its first use, and that nothing can replace, rejects", async () => {
  const q = tensor(normals(1, 640 * 8), [640, 8]);
  const { device } = await openAll(zeroing("calibrateValues", 0));
  await assertRejects(
    () => attention(q, q, q, { method: "calibrated", bucketSize: 16, samples: 32, device }),
    DeviceUnavailableError,
    "self test of calibrateValues gave",
  );
  await device.dispose();
});
