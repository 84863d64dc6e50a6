import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import type { Backend, DeviceArray } from "../../kernels/backend.ts";
import { Device, openAmong, openDevice, runJob } from "../../kernels/device.ts";
import { DeviceAbsentError, DeviceLostError, DeviceUnavailableError } from "../../kernels/errors.ts";
import type { Opener } from "../../kernels/openers.ts";
import { ReferenceBackend } from "../../kernels/reference/backend.ts";
import { selfTest } from "../../kernels/self_test.ts";
import { attention, type AttentionResult, disposeDevices, tensor } from "../../mod.ts";
import { webgpuTest } from "../backends.ts";
import { normals } from "../data.ts";

/** A backend whose driver goes away at its n-th run; the first run is the self test's. */
class FailingBackend extends ReferenceBackend {
  destroyed = false;
  lost: string | null = null;
  constructor(private runsLeft: number) {
    super();
  }
  override run(
    outputs: readonly DeviceArray[],
    signal?: AbortSignal,
  ): Promise<(Float32Array | Uint32Array)[]> {
    if (this.runsLeft-- > 0) return super.run(outputs, signal);
    this.lost = "the driver went away";
    return Promise.reject(new DeviceLostError(this.lost));
  }
  override destroy(): void {
    this.destroyed = true;
  }
}

/** A backend that returns zeros without an error, as some drivers do. */
class ZeroBackend extends ReferenceBackend {
  override async run(outputs: readonly DeviceArray[]): Promise<(Float32Array | Uint32Array)[]> {
    return (await super.run(outputs)).map((values) => values.fill(0));
  }
}

const q = tensor(normals(1, 80), [10, 8]),
  k = tensor(normals(2, 160), [20, 8]),
  v = tensor(normals(3, 60), [20, 3]);
const exact = (await attention(q, k, v, { device: "reference", method: "exact" })).output.data;
const attend = (device: Device, signal?: AbortSignal) =>
  attention(q, k, v, { device, method: "exact", signal });

/** An opener of the given backends, one after the other, the last one for ever. */
function opener(name: string, ...backends: (() => Backend | Promise<Backend>)[]): Opener {
  let at = 0;
  return { name, open: async () => await backends[Math.min(at++, backends.length - 1)]() };
}
const reference = opener("reference", () => new ReferenceBackend());

/** Opens one of these, and keeps what it warns of. */
async function openFakes(...openers: Opener[]): Promise<{ device: Device; warnings: string[] }> {
  const warnings: string[] = [];
  const settings = { patience: 0.3, warn: (message: string) => void warnings.push(message) };
  return { device: await openAmong(openers, settings), warnings };
}

const never = <T>() => new Promise<T>(() => {});

Deno.test("a lost device is replaced loudly, the job is run again, and the next one has it back", async () => {
  const failing = new FailingBackend(1);
  const { device, warnings } = await openFakes(
    opener("first", () => failing, () => new FailingBackend(9)),
    reference,
  );
  const { output, stats } = await attend(device);
  assertEquals(output.data, exact);
  assertStringIncludes(stats.fellBack!, "was lost: the driver went away");
  assertEquals([warnings.length, failing.destroyed], [1, true]);
  assertMatch(warnings[0], /was lost: the driver went away; going on with reference/);
  const again = await attend(device);
  assertEquals([again.output.data, again.stats.fellBack], [exact, null]);
  assertMatch(warnings[1], /opened again: reference/);
  await device.dispose();
});

Deno.test("a device that is lost again and again is left to the one that took over", async () => {
  let opened = 0;
  const first = opener("first", () => (opened++, new FailingBackend(1)));
  const { device } = await openFakes(first, reference);
  for (let call = 0; call < 6; call++) assertEquals((await attend(device)).output.data, exact);
  assertEquals(opened, 3);
  assert((await attend(device)).stats.fellBack);
});

Deno.test("a device asked for by name that is lost rejects that call, and the next one works", async () => {
  const { device, warnings } = await openFakes(
    opener("only", () => new FailingBackend(1), () => new FailingBackend(9)),
  );
  await assertRejects(() => attend(device), DeviceLostError, "the driver went away");
  assertEquals((await attend(device)).output.data, exact);
  assertEquals(warnings.length, 1);
  assertMatch(warnings[0], /was lost: the driver went away; opened again: reference/);
});

Deno.test("a device that was lost between two calls is opened again before the second", async () => {
  const first = new FailingBackend(9);
  const { device, warnings } = await openFakes(opener("only", () => first, () => new ReferenceBackend()));
  await attend(device);
  first.lost = "unplugged";
  assertEquals((await attend(device)).output.data, exact);
  assertEquals([warnings.length, first.destroyed], [1, true]);
  assertStringIncludes(warnings[0], "was lost: unplugged; opened again");
});

Deno.test("a device that is lost and cannot be opened again says so, and is tried at each call", async () => {
  const gone = () => Promise.reject(new Error("no such device"));
  const { device } = await openFakes(
    opener("the card", () => new FailingBackend(1), gone, () => new ReferenceBackend()),
  );
  await assertRejects(() => attend(device), DeviceLostError);
  await assertRejects(() => attend(device), DeviceUnavailableError, "Cannot open the card: no such device");
  assertEquals((await attend(device)).output.data, exact);
});

Deno.test("a call is run again on a fresh device of the same kind where it is not to blame", async () => {
  const workers = {
    ...opener("workers", () => new FailingBackend(1), () => new FailingBackend(9)),
    again: true,
  };
  const slow = opener("slow", () => {
    throw new Error("must not be opened");
  });
  const { device, warnings } = await openFakes(workers, slow);
  const { output, stats } = await attend(device);
  assertEquals([output.data, stats.fellBack, warnings.length], [exact, null, 1]);
});

Deno.test("devices that hang are given up, loudly, and the next one is taken", async () => {
  const silent = new FailingBackend(0);
  silent.run = never;
  const { device, warnings } = await openFakes(
    opener("adapter", never),
    opener("driver", () => silent),
    reference,
  );
  assertEquals(
    warnings,
    ["adapter", "driver"].map((name) =>
      `Cannot open ${name}: it made no progress for 0.3 s; trying the next device`
    ),
  );
  assertEquals(silent.destroyed, true);
  assertEquals(device.fellBack, warnings.map((warning) => warning.split("; ")[0]).join("; "));
  assertEquals((await attend(device)).stats.fellBack, device.fellBack);
});

Deno.test("a device that answers after it was given up is destroyed", async () => {
  const late = new FailingBackend(9), answer = Promise.withResolvers<Backend>();
  await openFakes(opener("late", () => answer.promise), reference);
  answer.resolve(late);
  await new Promise((resolve) => setTimeout(resolve));
  assertEquals(late.destroyed, true);
});

Deno.test("time counts only without progress, and while the event loop turns", async () => {
  const settings = { patience: 0.2, warn: () => {} };
  const hold = (milliseconds: number) => {
    for (const end = performance.now() + milliseconds; performance.now() < end;);
  };
  const slow: Opener = {
    name: "slow",
    open: async (progress) => {
      for (let step = 0; step < 4; step++) {
        await new Promise((resolve) => setTimeout(resolve, 120));
        progress();
      }
      // As a driver that compiles on the calling thread.
      for (let step = 0; step < 3; step++) {
        hold(150);
        await new Promise((resolve) => setTimeout(resolve));
      }
      return new ReferenceBackend();
    },
  };
  assertEquals((await openAmong([slow], settings)).kind, "reference");
});

Deno.test("every failure of an only device is a DeviceUnavailableError with its cause, and names no next one", async () => {
  const cause = new RangeError("out of memory"), warnings: string[] = [];
  const settings = { patience: 1, warn: (message: string) => void warnings.push(message) };
  const broken = opener("WebAssembly", () => Promise.reject(cause));
  const error = await assertRejects(() => openAmong([broken], settings), DeviceUnavailableError);
  assertEquals([error.message, error.cause], ["Cannot open WebAssembly: out of memory", cause]);
  const absent = opener("card", () => Promise.reject(new DeviceAbsentError("Cannot open a card: none")));
  const both = await assertRejects(() => openAmong([absent, broken], settings), DeviceUnavailableError);
  assertEquals(
    both.message,
    "Cannot open any device: Cannot open a card: none; Cannot open WebAssembly: out of memory",
  );
  // What is just not there is no news, and behind the last one there is none.
  assertEquals(warnings, []);
});

Deno.test("an abort while a device opens rejects at once with its reason", async () => {
  const controller = new AbortController(), settings = { patience: 60, warn: () => {} };
  const opening = openAmong([opener("silent", never), reference], settings, controller.signal);
  controller.abort(new Error("changed my mind"));
  await assertRejects(() => opening, Error, "changed my mind");
  await assertRejects(() => openDevice({ signal: AbortSignal.abort(new Error("before")) }), Error, "before");
});

Deno.test("an abort while a call waits for its turn rejects at once, and the calls around it are as ever", async () => {
  const device = await openDevice({ prefer: "reference" }), gate = Promise.withResolvers<void>();
  const busy = runJob(device, () => gate.promise), controller = new AbortController();
  const waiting = attend(device, controller.signal), after = attend(device);
  controller.abort(new Error("no longer wanted"));
  await assertRejects(() => waiting, Error, "no longer wanted");
  gate.resolve();
  await busy;
  assertEquals((await after).output.data, exact);
});

Deno.test("a call from within a job of the same device is refused, since it would wait for itself", async () => {
  using device = await openDevice({ prefer: "reference" });
  await assertRejects(() => runJob(device, () => attend(device)), Error, "Cannot run a job inside a job");
  // A callback may start a call that waits its turn.
  let inner: Promise<unknown> = Promise.resolve();
  const onProgress = (done: number) => {
    if (done === 0) inner = attend(device);
  };
  await attention(q, k, v, { device, method: "exact", onProgress });
  assertEquals((await inner as AttentionResult).output.data, exact);
});

Deno.test("openDevice() refuses options out of range, by name", async () => {
  // deno-lint-ignore no-explicit-any
  const bad: [any, ErrorConstructor | RangeErrorConstructor, string][] = [
    ["webgpu", TypeError, "options must be an object"],
    [{ prefer: "gpu" }, RangeError, "prefer must be one of webgpu, wasm, reference: current value is gpu"],
    [{ threads: 0 }, RangeError, "threads must be an integer from 1 to 128: current value is 0"],
    [{ threads: 1000 }, RangeError, "threads must be an integer from 1 to 128: current value is 1000"],
    [{ timeoutSeconds: 0 }, RangeError, "timeoutSeconds must be a number above 0"],
    [{ gpuDevice: {}, prefer: "wasm" }, TypeError, "gpuDevice must be a GPUDevice"],
  ];
  for (const [options, type, message] of bad) {
    await assertRejects(() => openDevice(options), type, message);
  }
});

Deno.test("disposeDevices() gives kept devices back, and the next call opens one again", async () => {
  const call = () => attention(q, k, v, { device: "wasm", method: "exact" });
  const first = await call(), running = call();
  await disposeDevices();
  // It ended before the disposal or was refused by it.
  await running.catch((error) => assertInstanceOf(error, DeviceLostError));
  assertEquals((await call()).output.data, first.output.data);
  await disposeDevices();
});

Deno.test("dispose() waits for the job that runs, and can be awaited by using", async () => {
  let ended = false;
  {
    await using device = await openDevice({ prefer: "reference" });
    const job = runJob(device, () => new Promise<void>((resolve) => setTimeout(resolve, 50)));
    job.then(() => ended = true, () => ended = true);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  assertEquals(ended, true);
});

Deno.test("a disposed device refuses work", async () => {
  const device = await openDevice({ prefer: "reference" });
  device[Symbol.dispose]();
  await assertRejects(
    () => attention(q, k, v, { device, method: "exact" }),
    DeviceLostError,
    "it was disposed",
  );
});

Deno.test("the self test refuses a device that returns zeros", async () => {
  await assertRejects(
    () => selfTest(new ZeroBackend()),
    DeviceUnavailableError,
    "self test of attend gave 0 at 0 where",
  );
});

webgpuTest("a device opened to be timed counts the seconds that it computes, and no others do", async () => {
  const rows = tensor(normals(1, 2000 * 32), [2000, 32]);
  using timed = await openDevice({ prefer: "webgpu", timed: true });
  using other = await openDevice({ prefer: "webgpu" });
  const attend = (device: Device) => attention(rows, rows, rows, { method: "exact", device });
  await attend(timed);
  const before = timed.busySeconds!;
  const { output, stats } = await attend(timed);
  const seconds = timed.busySeconds! - before;
  // The device's own clock: part of the time from input to output.
  assert(seconds > 0 && seconds < stats.seconds, `${seconds} of ${stats.seconds}`);
  assertEquals(output, (await attend(other)).output);
  assertEquals(other.busySeconds, undefined);
});

Deno.test("a device shows no backend to users of the library", () => {
  const members = Object.getOwnPropertyNames(Device.prototype).sort();
  const shown = ["adapter", "busySeconds", "dispose", "fellBack", "kind", "software", "tune"];
  assertEquals(members.filter((name) => name !== "constructor"), shown);
});

Deno.test("jobs on one device run one after another, failures included", async () => {
  using device = await openDevice({ prefer: "reference" });
  const log: string[] = [];
  const job = (name: string, fail = false) =>
    runJob(device, async () => {
      log.push(`${name} begins`);
      await Promise.resolve();
      log.push(`${name} ends`);
      if (fail) throw new Error(name);
    });
  await Promise.allSettled([job("first"), job("second", true), job("third")]);
  assertEquals(log, [
    "first begins",
    "first ends",
    "second begins",
    "second ends",
    "third begins",
    "third ends",
  ]);
});
