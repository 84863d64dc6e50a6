import { mkdir, readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { checkTuning, type Tuning } from "../kernels/webgpu/tuning.ts";
import { fileError } from "../files/file_error.ts";
import { environmentVariable, isGranted } from "../files/permissions.ts";
import { checkWritable, writeWhole } from "../files/write_whole.ts";

/**
 * Where `doctor --tune` keeps what it finds, for all commands: KDEFORMER_TUNING, or a file in the user's cache.
 * Undefined where permissions do not let that be told.
 */
function tuningPath(): string | undefined {
  const own = environmentVariable("KDEFORMER_TUNING");
  if (own !== undefined) return own;
  const cache = environmentVariable("XDG_CACHE_HOME") ?? environmentVariable("LOCALAPPDATA") ?? homeCache();
  return cache && join(cache, "kdeformer", "tuning.json");
}

function homeCache(): string | undefined {
  if (!isGranted({ name: "sys", kind: "homedir" })) return undefined;
  try {
    return join(homedir(), ".cache");
  } catch {
    return undefined;
  }
}

/** What was found earlier; undefined where nothing was or may be read. A file that is none is told about and left alone. */
export async function readTuning(warn: (message: string) => void): Promise<Tuning | undefined> {
  const path = tuningPath();
  if (path === undefined || !isGranted({ name: "read", path })) return undefined;
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

/**
 * The path where tuning can be kept, found before the work of tuning.
 *
 * @throws {Error} If there is none.
 */
export async function prepareTuning(): Promise<string> {
  const path = tuningPath();
  if (path === undefined) {
    throw new Error(
      "Cannot keep a tuning: Deno does not tell where: run again with --allow-env --allow-sys=homedir, or with " +
        "KDEFORMER_TUNING=FILE and --allow-env=KDEFORMER_TUNING",
    );
  }
  try {
    await mkdir(dirname(path), { recursive: true });
  } catch (error) {
    // It may be there, while making folders is not allowed.
    if (!isDenied(error)) throw fileError("write", path, error);
  }
  await checkWritable(path);
  return path;
}

function isDenied(error: unknown): boolean {
  return (error as Error).name === "NotCapable";
}

/** Keeps what was found in a file, with what was found earlier on the same adapter. */
export async function keepTuning(path: string, found: Tuning): Promise<void> {
  const earlier = await readTuning(() => {});
  const known = earlier?.adapter === found.adapter ? earlier.tiles : {};
  await writeWhole(path, `${JSON.stringify({ ...found, tiles: { ...known, ...found.tiles } }, null, 2)}\n`);
}
