import { dirname } from "node:path";
import process from "node:process";
import { runChild } from "../child.ts";

/** Environment in which scripts find this Deno. */
export const withDeno: Record<string, string> = {
  PATH: `${dirname(process.execPath)}:${process.env.PATH}`,
};

/**
 * Sees that programs are there, which a test does not install.
 *
 * @param pack The package of Debian that brings them.
 * @throws {Error} If one is missing.
 */
export async function requirePrograms(pack: string, ...names: string[]): Promise<void> {
  const missing: string[] = [];
  for (const name of names) {
    const { code } = await runChild("bash", ["-c", `command -v ${name}`]);
    if (code !== 0) missing.push(name);
  }
  if (missing.length > 0) {
    throw new Error(`Missing: ${missing.join(", ")}; on Debian: apt-get install ${pack}`);
  }
}
