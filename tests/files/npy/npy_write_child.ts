/**
 * Run by `npy_disk_full_test.ts` on a file system that is too small: writes a small tensor, then one that does not
 * fit, and prints the error, the folder's files and the shape that the file has afterwards.
 */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { readArray } from "../../../files/arrays/read.ts";
import { writeNpy } from "./write_npy.ts";
import { tensor } from "../../../kernels/tensor.ts";

const folder = process.argv[2], path = join(folder, "o.npy");
await writeNpy(path, tensor([1, 2], [1, 2]));
const message = await writeNpy(path, tensor(new Float32Array(1 << 18), [512, 512]))
  .then(() => "written", (error: Error) => error.message.replace(folder, ""));
const report = { message, files: await readdir(folder), shape: (await readArray(path)).shape };
process.stdout.write(JSON.stringify(report) + "\n");
