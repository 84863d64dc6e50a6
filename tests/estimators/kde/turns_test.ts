import { assert, assertEquals } from "@std/assert";
import { type DensityMethod, densityMethods } from "../../../estimators/kde/methods.ts";
import { estimateDensity, tensor } from "../../../mod.ts";
import { ReferenceBackend } from "../../../kernels/reference/backend.ts";
import { nextMacrotask } from "../../../kernels/runtime.ts";
import { normals } from "../../data.ts";

const COUNT = 400, QUERIES = 640;
const points = tensor(normals(61, COUNT * 3), [COUNT, 3]);
const queries = tensor(normals(62, QUERIES * 3).map((x) => x / 2), [QUERIES, 3]);

const estimate = (method: DensityMethod) =>
  estimateDensity(points, queries, {
    method,
    device: "reference",
    epsilon: 0.9,
    delta: 0.4,
    densityFloor: 0.02,
    seed: 5,
  });

/** The most turns of the event loop that pass while the host prepares one submission. */
async function turnsOfHost(work: () => Promise<void>): Promise<number> {
  const { run } = ReferenceBackend.prototype;
  let turns = 0, since: number | undefined, most = 0, over = false;
  const count = async () => {
    for (; !over; turns++) await nextMacrotask();
  };
  ReferenceBackend.prototype.run = async function (...args) {
    if (since !== undefined) most = Math.max(most, turns - since);
    try {
      return await run.apply(this, args);
    } finally {
      since = turns;
    }
  };
  const counted = count();
  try {
    await work();
  } finally {
    over = true;
    ReferenceBackend.prototype.run = run;
    await counted;
  }
  return most;
}

for (
  const method of densityMethods.filter((method) => method === "hashing-based" || method === "multi-level")
) {
  Deno.test(`${method}: other events have their turn while many queries look up their buckets`, async () => {
    const { logDensity } = await estimate(method), { now } = performance;
    // A slow machine: every second look at the clock finds that it is time for others.
    let looks = 0;
    performance.now = () => 20 * looks++;
    try {
      const turns = await turnsOfHost(async () =>
        assertEquals((await estimate(method)).logDensity, logDensity)
      );
      assert(turns >= 10, `${turns} turns`);
    } finally {
      performance.now = now;
    }
  });
}
