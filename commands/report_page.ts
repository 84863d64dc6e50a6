import { makePage, type PageParts } from "../proofs_checks/report/page.ts";
import { writeWhole } from "../files/write_whole.ts";

/** Writes reports as a page. */
export async function writePage(path: string, parts: PageParts): Promise<void> {
  await writeWhole(path, await makePage(parts));
}
