import { readFile } from "node:fs/promises";
import { fileError } from "../files/file_error.ts";

/**
 * Reads a file of JSON, checking nothing else.
 *
 * @throws {Error} If it cannot be read, or is no JSON.
 */
export async function readReport(path: string): Promise<unknown> {
  const text = await readFile(path, "utf8").catch((error) => {
    throw fileError("read", path, error);
  });
  try {
    // Some editors put a mark of the byte order in front.
    return JSON.parse(text.replace(/^\ufeff/, ""));
  } catch (error) {
    throw new Error(`Cannot read ${path}: it must hold JSON: ${(error as Error).message}`, { cause: error });
  }
}
