import { readFile } from "node:fs/promises";
import { join } from "node:path";

interface WeightEntry {
  readonly name: string;
  readonly shape: readonly number[];
}

interface ModelFile {
  readonly weightsManifest: readonly { readonly paths: string[]; readonly weights: WeightEntry[] }[];
}

/** The weights of a TensorFlow.js graph model, read from its raw shards. */
export class Weights {
  readonly #entries: ReadonlyMap<string, WeightEntry & { readonly offset: number }>;
  readonly #bytes: Uint8Array;

  private constructor(
    entries: ReadonlyMap<string, WeightEntry & { readonly offset: number }>,
    bytes: Uint8Array,
  ) {
    this.#entries = entries;
    this.#bytes = bytes;
  }

  /**
   * Reads `model.json` and the shards beside it.
   *
   * @throws {TypeError} If the shards do not hold what the model file lists.
   */
  static async read(folder: string): Promise<Weights> {
    const model = JSON.parse(await readFile(join(folder, "model.json"), "utf8")) as ModelFile;
    const entries = new Map<string, WeightEntry & { offset: number }>();
    const shards: Uint8Array[] = [];
    let offset = 0;
    for (const group of model.weightsManifest) {
      for (const entry of group.weights) {
        entries.set(entry.name, { ...entry, offset });
        // Every type in this model, f32 or i32, has 4 bytes.
        offset += 4 * entry.shape.reduce((product, extent) => product * extent, 1);
      }
      for (const path of group.paths) shards.push(await readFile(join(folder, path)));
    }
    const bytes = concatenate(shards);
    if (bytes.length !== offset) {
      throw new TypeError(
        `Cannot read ${folder}: shards must hold ${offset} bytes: current value is ${bytes.length}`,
      );
    }
    return new Weights(entries, bytes);
  }

  /**
   * The f32 values of the one weight whose name ends so.
   *
   * @throws {TypeError} If no weight or several end so, or its extents other than 1 are not these.
   */
  get(ending: string, shape: readonly number[]): Float32Array {
    const found = [...this.#entries.values()].filter(({ name }) => name.endsWith(ending));
    const extents = found[0]?.shape.filter((extent) => extent > 1);
    if (found.length !== 1 || String(extents) !== String(shape)) {
      throw new TypeError(
        `Cannot read weight ${ending}: there must be one, of shape ${shape.join(" × ")}: ` +
          `current value is ${found.length}, ${extents?.join(" × ")}`,
      );
    }
    const size = shape.reduce((product, extent) => product * extent, 1);
    return new Float32Array(this.#bytes.buffer, this.#bytes.byteOffset + found[0].offset, size);
  }
}

function concatenate(shards: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(shards.reduce((sum, shard) => sum + shard.length, 0));
  let at = 0;
  for (const shard of shards) {
    bytes.set(shard, at);
    at += shard.length;
  }
  return bytes;
}
