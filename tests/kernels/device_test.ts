import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import type { Backend, DeviceArray } from "../../kernels/backend.ts";
import { Device, openDevice, runOn } from "../../kernels/device.ts";
import { DeviceLostError, DeviceUnavailableError } from "../../kernels/errors.ts";
import { ReferenceBackend } from "../../kernels/reference/backend.ts";
import { selfTest } from "../../kernels/self_test.ts";
import { attention, tensor } from "../../mod.ts";
import { webgpuTest } from "../backends.ts";
import { normals } from "../data.ts";

/** A backend whose driver goes away after some runs. */
class FailingBackend extends ReferenceBackend {
  destroyed = false;
  constructor(private runsLeft: number) {
    super();
  }
  override run(
    outputs: readonly DeviceArray[],
    signal?: AbortSignal,
  ): Promise<(Float32Array | Uint32Array)[]> {
    if (this.runsLeft-- === 0) return Promise.reject(new DeviceLostError("the driver went away"));
    return super.run(outputs, signal);
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
const reference = {
  name: "reference",
  open: (): Promise<Backend> => Promise.resolve(new ReferenceBackend()),
};

Deno.test("a lost device is replaced loudly and the job is run again", async () => {
  const warnings: string[] = [];
  const failing = new FailingBackend(0);
  using device = new Device(failing, [reference], (message) => warnings.push(message));
  const { output, stats } = await attention(q, k, v, { device, method: "exact" });
  assertEquals(output.data, (await attention(q, k, v, { device: "reference", method: "exact" })).output.data);
  assertStringIncludes(stats.fellBack!, "was lost: the driver went away");
  assertEquals(warnings.length, 1);
  assertEquals(failing.destroyed, true);
});

Deno.test("a lost device that nothing can replace rejects with DeviceLostError", async () => {
  using device = new Device(new FailingBackend(0), [], () => {});
  await assertRejects(
    () => attention(q, k, v, { device, method: "exact" }),
    DeviceLostError,
    "the driver went away",
  );
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
  assertEquals(members, ["adapter", "busySeconds", "constructor", "fellBack", "kind", "software", "tune"]);
});

Deno.test("jobs on one device run one after another, failures included", async () => {
  using device = await openDevice({ prefer: "reference" });
  const log: string[] = [];
  const job = (name: string, fail = false) =>
    runOn(device, async () => {
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
