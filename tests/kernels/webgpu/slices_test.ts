import { assert, assertEquals } from "@std/assert";
import { openWebGpu } from "../../../kernels/webgpu/backend.ts";
import { CORE_WORK, cutDispatch, sliced, waitsWithinCalls } from "../../../kernels/webgpu/engine/slices.ts";
import { hardwareThreads } from "../../../kernels/runtime.ts";
import { webgpuTest } from "../../backends.ts";
import { normals } from "../../data.ts";

/** Whether attention of so many multiply-adds is cut here: machines of many cores do more at a time. */
const isCut = (software: boolean, work: number) =>
  software && waitsWithinCalls() && work > 3 * hardwareThreads() * CORE_WORK;

Deno.test("a large dispatch is cut into parts that cover each workgroup once", () => {
  for (const workgroups of [1, 7, 100, 1023]) {
    const step = { parameters: { keys: 5, firstWorkgroup: 0 }, workgroups, work: workgroups * 2 ** 28 };
    const covered = cutDispatch(step).flatMap(({ parameters, workgroups }) => {
      assertEquals(parameters.keys, 5);
      return Array.from({ length: workgroups }, (_, at) => parameters.firstWorkgroup + at);
    });
    assertEquals(covered, Array.from({ length: workgroups }, (_, at) => at));
  }
});

Deno.test("a dispatch that is short, or cannot run in parts, stays whole", () => {
  const parts = { firstWorkgroup: 0 };
  for (
    const step of [{ work: 1000, parameters: parts }, { work: 2 ** 40, parameters: { keys: 1 } }, {
      parameters: parts,
    }]
  ) {
    const whole = { workgroups: 50, ...step };
    assertEquals(cutDispatch(whole), [whole]);
  }
});

Deno.test("slices keep the order of dispatches, and a long one to itself", () => {
  const steps = [1, 1, 2 ** 40, 1, 2 ** 40].map((work, at) => ({ at, work }));
  assertEquals(sliced(steps).map((slice) => slice.map(({ at }) => at)), [
    [0, 1],
    [2],
    [3],
    [
      4,
    ],
  ]);
  assertEquals(sliced([]), [[]]);
  const many = Array.from({ length: 1000 }, (_, at) => ({ at, work: undefined }));
  assert(sliced(many).length > 10);
  assertEquals(sliced(many).flat(), many);
});

webgpuTest(
  "attend() in slices gives the rows that it gives alone, and lets timers have their turn",
  async () => {
    const backend = await openWebGpu();
    const queries = 2048 + 40, keys = 2048, width = 32, heads = 1;
    const query = normals(1, queries * width), key = backend.upload(normals(2, keys * width));
    const args = { heads, keys, features: width, valueFeatures: width, key, value: key, scale: 0.2 };
    let ticks = 0;
    const timer = setInterval(() => ticks++, 1);
    const whole = backend.attend({ ...args, queries, query: backend.upload(query) });
    const [rows] = await backend.run([whole.output]);
    const during = ticks;
    clearInterval(timer);
    if (isCut(backend.software, queries * keys * 2 * width)) assert(during > 1, `${during} ticks`);
    // Rows of the first and of the last workgroups by themselves.
    for (const first of [0, 2048]) {
      const few = backend.upload(query.slice(first * width, (first + 40) * width));
      const [expected] = await backend.run([backend.attend({ ...args, queries: 40, query: few }).output]);
      assertEquals(rows.slice(first * width, (first + 40) * width), expected);
    }
    backend.destroy();
  },
);

webgpuTest("an abort between slices rejects at once, and the next run works", async () => {
  const backend = await openWebGpu();
  const count = 2048, width = 32;
  const record = () => {
    const rows = backend.upload(normals(1, count * width));
    const shape = { heads: 1, queries: count, keys: count, features: width, valueFeatures: width };
    return backend.attend({ ...shape, query: rows, key: rows, value: rows, scale: 0.2 }).output;
  };
  const [expected] = await backend.run([record()]);
  backend.reset();
  const controller = new AbortController();
  const running = backend.run([record()], controller.signal).then(() => "ran", ({ message }) => message);
  setTimeout(() => controller.abort(new Error("enough")));
  const outcome = await running;
  if (isCut(backend.software, count ** 2 * 2 * width)) assertEquals(outcome, "enough");
  backend.reset();
  assertEquals(await backend.run([record()]), [expected]);
  backend.destroy();
});
