import type { AttendArguments, DeviceArray, PartialAttention } from "../../backend.ts";
import { Purpose, RandomStream } from "../../random.ts";
import type { AttendKernel, AttendTile } from "../tuning.ts";
import { attendWidths, gpuTiles, isSameTile, possibleTiles, usualTile } from "./attend_tile.ts";
import { KernelError } from "../engine/kernel_error.ts";
import type { SubgroupLanes } from "../engine/subgroups.ts";
import type { Recorder } from "../engine/recorder.ts";

/** Queries and keys that are measured: as many as keep a GPU busy, and fewer where a CPU stands in for one. */
const SIZE = { queries: 16384, keys: 2048 }, SOFTWARE_SIZE = { queries: 512, keys: 512 };
/** Timed runs of each tile, taken in turn. */
const ROUNDS = 5;
/** By how much of its time another tile must beat the usual one: what medians of a few runs may differ by. */
const MARGIN = 0.05;
/** Largest difference of outputs, whose values are about 1, at which a tile counts as right. */
const TOLERANCE = 1e-4;

/** Attention with a given tile. */
export type AttendWith = (tile: AttendTile, args: AttendArguments) => PartialAttention;

/**
 * Measures exact attention of one head of normal values with every tile that the device has room for and that is worth it there, and
 * returns the fastest, of those that give what the usual one gives. What does not compile is passed over.
 */
export async function tuneAttend(
  recorder: Recorder,
  attend: AttendWith,
  { usual, subgroupLanes }: { readonly usual: AttendKernel; readonly subgroupLanes: SubgroupLanes },
  features: number,
  valueFeatures: number,
): Promise<AttendTile> {
  const { limits } = recorder.device, widths = attendWidths(features, valueFeatures);
  const first = usualTile(usual, widths, limits.maxComputeWorkgroupStorageSize, subgroupLanes);
  const known = (recorder.software ? possibleTiles : gpuTiles)(widths, limits, subgroupLanes.fewest);
  const tiles = [first, ...known.filter((tile) => !isSameTile(tile, first))];
  const { queries, keys } = recorder.software ? SOFTWARE_SIZE : SIZE;
  const [query, key, value] = [queries * features, keys * features, keys * valueFeatures].map(normals);
  /** Records attention and reads either its output or, which takes less time, the logarithms alone. */
  const run = async (tile: AttendTile, read: keyof PartialAttention) => {
    const upload = (data: Float32Array): DeviceArray => recorder.upload(data);
    const args = { heads: 1, queries, keys, features, valueFeatures, scale: 1 / Math.sqrt(features) };
    const arrays = { query: upload(query), key: upload(key), value: upload(value) };
    const attended = attend(tile, { ...args, ...arrays });
    const start = performance.now(), [values] = await recorder.run([attended[read]]);
    const seconds = (performance.now() - start) / 1000;
    recorder.reset();
    return { seconds, values };
  };
  let expected: ArrayLike<number> | undefined;
  const right: AttendTile[] = [];
  for (const tile of tiles) {
    try {
      const { values } = await run(tile, "output");
      expected ??= values;
      if (values.every((x, at) => Math.abs(x - expected![at]) <= TOLERANCE)) right.push(tile);
    } catch (error) {
      recorder.reset();
      if (!(error instanceof KernelError) || tile === first) throw error;
    }
  }
  const times = right.map((): number[] => []);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [at, tile] of right.entries()) times[at].push((await run(tile, "logSumExp")).seconds);
  }
  const medians = times.map((seconds) => seconds.sort((a, b) => a - b)[Math.floor(ROUNDS / 2)]);
  const fastest = medians.indexOf(Math.min(...medians));
  return medians[fastest] < (1 - MARGIN) * medians[0] ? right[fastest] : first;
}

function normals(length: number, stream: number): Float32Array {
  const random = new RandomStream(0, Purpose.data, stream);
  return Float32Array.from({ length }, () => random.normal());
}
