import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeNpy } from "../files/npy/write_npy.ts";
import { type Tensor, tensor } from "../../kernels/tensor.ts";
import { normals } from "../data.ts";

/** Runs a test in a folder of its own, which is removed afterwards. */
export async function inFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "kdeformer-"));
  try {
    await body(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Two heads of 12 queries and 20 keys. */
export const arrays: Readonly<Record<"q" | "k" | "v", Tensor>> = {
  q: tensor(normals(11, 2 * 12 * 4), [2, 12, 4]),
  k: tensor(normals(12, 2 * 20 * 4), [2, 20, 4]),
  v: tensor(normals(13, 2 * 20 * 3), [2, 20, 3]),
};

/** The options that name {@link arrays}, written to a folder as q.npy, k.npy and v.npy. */
export async function writeArrays(folder: string): Promise<string[]> {
  const args: string[] = [];
  for (const [name, array] of Object.entries(arrays)) {
    const path = join(folder, `${name}.npy`);
    await writeNpy(path, array);
    args.push(`--${name}`, path);
  }
  return args;
}
