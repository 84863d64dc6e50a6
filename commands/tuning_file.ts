import { mkdir, readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import { checkTuning, type Tuning } from "../kernels/webgpu/tuning.ts";
import { writeWhole } from "../files/write_whole.ts";

/** Where `doctor --tune` keeps what it finds, for all commands: KDEFORMER_TUNING, or a file in the user's cache. */
export function tuningPath(): string {
  const { KDEFORMER_TUNING, XDG_CACHE_HOME, LOCALAPPDATA } = process.env;
  return KDEFORMER_TUNING ||
    join(XDG_CACHE_HOME || LOCALAPPDATA || join(homedir(), ".cache"), "kdeformer", "tuning.json");
}

/** What was found earlier; undefined where nothing was. A file that is none is told about and left alone. */
export async function readTuning(warn: (message: string) => void): Promise<Tuning | undefined> {
  const path = tuningPath();
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch {
    return undefined;
  }
  try {
    const { adapter, tiles } = JSON.parse(text);
    if (typeof adapter === "string" && typeof tiles === "object" && tiles !== null) {
      checkTuning({ adapter, tiles });
      return { adapter, tiles };
    }
  } catch {
    // Told about below.
  }
  warn(`Cannot use ${path}: it is not what doctor --tune writes; remove it, or run that again`);
  return undefined;
}

/** Keeps what was found, with what was found earlier on the same adapter, and returns the path of the file. */
export async function keepTuning(found: Tuning): Promise<string> {
  const path = tuningPath(), earlier = await readTuning(() => {});
  const known = earlier?.adapter === found.adapter ? earlier.tiles : {};
  await mkdir(dirname(path), { recursive: true });
  await writeWhole(path, `${JSON.stringify({ ...found, tiles: { ...known, ...found.tiles } }, null, 2)}\n`);
  return path;
}
