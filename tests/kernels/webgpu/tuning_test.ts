import { assert, assertEquals, assertRejects } from "@std/assert";
import { openDevice } from "../../../kernels/device.ts";
import type { AttendTile } from "../../../kernels/webgpu/tuning.ts";
import { describeAdapter, requestAdapter } from "../../../kernels/webgpu/engine/adapter.ts";
import {
  attendWidths,
  gpuTiles,
  hasRoom,
  isSameTile,
  possibleTiles,
  usualTile,
  widthsOf,
} from "../../../kernels/webgpu/operations/attend_tile.ts";
import { openWebGpu } from "../../../kernels/webgpu/backend.ts";
import { checkAttend } from "../../attend.ts";
import { webgpuTest } from "../../backends.ts";
import { normals } from "../../data.ts";

webgpuTest("attend() with every tile that tuning may choose meets the precision rule", async () => {
  const adapter = await requestAdapter(), { name } = describeAdapter(adapter);
  const heads = 2, queries = 150, keys = 77, features = 8, valueFeatures = 5;
  const base = {
    ...{ heads, queries, keys, features, valueFeatures, scale: 1 / Math.sqrt(features) },
    query: normals(1, heads * queries * features),
    key: normals(2, heads * keys * features),
    value: normals(3, heads * keys * valueFeatures),
  };
  const widths = attendWidths(features, valueFeatures), tiles = possibleTiles(widths, adapter.limits);
  assert(tiles.length > 5);
  for (const tile of tiles) {
    const backend = await openWebGpu({ tuning: { adapter: name, tiles: { [widthsOf(widths)]: tile } } });
    await checkAttend(backend, base, JSON.stringify(tile));
    const causal = { period: 50, offset: 20 };
    await checkAttend(backend, { ...base, causal, blocks: 3 }, `${JSON.stringify(tile)}, causal, blocks`);
    backend.destroy();
  }
});

Deno.test("tune() passes over tiles on GPUs that are known to spill registers, unless there are no others", () => {
  const room = (bytes: number) => ({ maxComputeWorkgroupStorageSize: bytes }) as GPUSupportedLimits;
  const found = (width: number, bytes: number) =>
    gpuTiles(attendWidths(width, width), room(bytes)).map(({ kernel, lanes }) => `${kernel} ${lanes}`);
  assertEquals(found(64, 2 ** 16), ["tiles 32", "tiles 64", "tiles 128"]);
  assertEquals(found(128, 2 ** 16), ["tiles 64", "tiles 128"]);
  assertEquals(found(128, 2 ** 14), ["tiles 32"]);
  assert(found(32, 0).length > 0 && found(32, 0).every((tile) => tile.startsWith("registers")));
});

Deno.test("lanes of subgroups share rows where these have room and lanes enough, more of them where subgroups are narrow", () => {
  const room = { maxComputeWorkgroupStorageSize: 2 ** 15 } as GPUSupportedLimits;
  const found = (width: number, lanes: number, limits = room) =>
    gpuTiles(attendWidths(width, width), limits, lanes)
      .filter(({ kernel }) => kernel === "subgroups").map(({ lanes, size }) => `${lanes} ${size}`);
  assertEquals(found(64, 32), ["64 4", "128 4", "256 4", "64 8", "128 8", "256 8"]);
  assertEquals(found(64, 4), ["64 4", "128 4", "256 4"]);
  assertEquals(found(128, 8), ["64 8", "128 8", "256 8"]);
  assertEquals(found(64, 32, { ...room, maxComputeWorkgroupStorageSize: 2 ** 13 + 2 ** 8 }), [
    ...["64 4", "128 4"],
    ...["64 8", "128 8"],
  ]);
  for (const [width, lanes] of [[64, 0], [64, 2], [12, 32], [128, 4], [520, 64]]) {
    assertEquals(found(width, lanes), [], `${width} features, ${lanes} lanes`);
  }
  const usual = (
    width: number,
    lanes: number,
    fewest = lanes,
    kernel: AttendTile["kernel"] = "subgroups",
  ) => {
    const widths = attendWidths(width, width), { maxComputeWorkgroupStorageSize: bytes } = room;
    const tile = usualTile(kernel, widths, bytes, { usual: lanes, fewest });
    return `${tile.kernel} ${tile.lanes} ${tile.size}`;
  };
  assertEquals([64, 32, 4, 0].map((lanes) => usual(64, lanes)), [
    "subgroups 256 4",
    "subgroups 256 8",
    // Without enough lanes for that, the kernel without subgroups.
    "tiles 128 32",
    "tiles 128 32",
  ]);
  assertEquals([64, 32, 8].map((lanes) => usual(128, lanes)), [
    "subgroups 256 8",
    "subgroups 256 16",
    "tiles 128 32",
  ]);
  // Another kernel may be given subgroups of eight lanes where this one was given 32.
  assertEquals([usual(128, 32, 8), usual(128, 64, 32)], ["tiles 128 32", "subgroups 256 8"]);
  assertEquals([usual(64, 64, 64, "tiles"), usual(8, 64)], ["tiles 128 32", "tiles 128 32"]);
});

Deno.test("a tile of another device is not taken where there are no subgroups", () => {
  const limits = { maxComputeWorkgroupStorageSize: 2 ** 15 } as GPUSupportedLimits;
  const widths = attendWidths(64, 64), tile: AttendTile = { kernel: "subgroups", lanes: 128, size: 8 };
  assertEquals([0, 4, 8, 64].map((lanes) => hasRoom(tile, widths, limits, lanes)), [
    false,
    false,
    true,
    true,
  ]);
});

webgpuTest("tune() finds a tile, keeps it, and gives it to the next device of the adapter", async () => {
  using device = await openDevice({ prefer: "webgpu" });
  const tuning = (await device.tune(4))!;
  const { limits } = await requestAdapter(), widths = attendWidths(4, 4);
  const known = [
    usualTile("registers", widths, limits.maxComputeWorkgroupStorageSize),
    ...possibleTiles(widths, limits),
  ];
  assertEquals(tuning.adapter, device.adapter);
  assertEquals(Object.keys(tuning.tiles), ["4 x 4"]);
  assert(known.some((tile) => isSameTile(tile, tuning.tiles["4 x 4"])), JSON.stringify(tuning));
  using next = await openDevice({ prefer: "webgpu", tuning });
  // What is known is not measured again.
  assertEquals(await next.tune(3, 2), tuning);
});

webgpuTest("a tuning with tiles that there are not is refused, one without room not used", async () => {
  const adapter = await requestAdapter(), { name } = describeAdapter(adapter);
  const right: AttendTile = { kernel: "tiles", lanes: 64, size: 32 };
  for (
    const tile of [
      { ...right, size: 31 },
      { ...right, size: 64 },
      { ...right, lanes: 0 },
      { ...right, kernel: "none" },
      { ...right, kernel: "registers" },
      { ...right, kernel: "subgroups" },
    ]
  ) {
    const tuning = { adapter: name, tiles: { "64 x 64": tile as AttendTile } };
    await assertRejects(
      () => openDevice({ tuning }),
      RangeError,
      "Cannot use the tuning: 64 x 64 must have a tile that device.tune() gives",
    );
  }
  const widths = attendWidths(200, 8);
  for (
    const tile of [
      { kernel: "registers", lanes: 16, size: 8 },
      // What earlier versions gave.
      { kernel: "tiles", lanes: 256, size: 16 },
    ] as const
  ) {
    const backend = await openWebGpu({ tuning: { adapter: name, tiles: { [widthsOf(widths)]: tile } } });
    await checkAttend(backend, {
      ...{ heads: 1, queries: 5, keys: 9, features: 200, valueFeatures: 8, scale: 0.1 },
      query: normals(1, 5 * 200),
      key: normals(2, 9 * 200),
      value: normals(3, 9 * 8),
    }, `200 features, ${JSON.stringify(tile)}`);
    backend.destroy();
  }
});

webgpuTest("tune() refuses widths that are none, and does nothing where there is one way only", async () => {
  using device = await openDevice({ prefer: "webgpu" });
  await assertRejects(() => device.tune(0), RangeError, "features must be a positive integer");
  await assertRejects(() => device.tune(4, 1.5), RangeError, "valueFeatures must be a positive integer");
  using reference = await openDevice({ prefer: "reference" });
  assertEquals(await reference.tune(4), undefined);
});
