import { GOLDEN_SECTION } from "../constants.ts";

/**
 * What stands for part number `at` of `count` things, `every` a part but for the last: its place in the part moves on by 0 or 1 from each part to the next,
 * since things that repeat with a period would be met at one place of it if it stood.
 */
export function memberOfPart(at: number, every: number, count: number): number {
  const first = at * every;
  return first + (Math.imul(at, GOLDEN_SECTION) >>> 16) % Math.min(every, count - first);
}

/** What stands for each part, where there are to be at most `most` of them. */
export function membersOfParts(count: number, most: number): Uint32Array {
  const every = Math.ceil(count / most);
  return Uint32Array.from({ length: Math.ceil(count / every) }, (_, at) => memberOfPart(at, every, count));
}
