import { writeFile } from "node:fs/promises";
import { makePage, type PageParts } from "../proofs_checks/report/page.ts";

/** Writes reports as a page. */
export async function writePage(path: string, parts: PageParts): Promise<void> {
  await writeFile(path, await makePage(parts));
}
