import { claims } from "../../proofs_checks/claims/claims.ts";
import { linesOf, type Mutant } from "./mutant.ts";
import type { Reach } from "./reach.ts";

/**
 * Which claims a mutant is tried by, each level with those before it: the ones that should notice; those that run one of the changed
 * lines; those that run anything of the file; all.
 */
export const levels = ["likely", "line", "file", "all"] as const;
/** One of {@link levels}. */
export type Level = typeof levels[number];

/** Names of the claims to try, the likely ones first and then the quickest. */
export function claimsToTry(mutant: Mutant, text: string, level: Level, reaches: readonly Reach[]): string[] {
  const likely = mutant.claims ?? [], most = levels.indexOf(level);
  const unknown = likely.find((name) => !claims.some((claim) => claim.name === name));
  if (unknown) throw new Error(`Cannot try mutant ${mutant.id}: there is no claim ${unknown}`);
  const [first, last] = linesOf(text, mutant), file = fileThatRuns(mutant.file);
  // A claim that runs nothing of a file cannot notice what is wrong there.
  const isIdle = (name: string) => reaches.some(({ claim, lines }) => claim === name && !lines[file]?.length);
  const told = file === mutant.file, known = reaches.some(({ lines }) => lines[file]);
  const wanted = [...new Set(likely)].filter((name) => !known || !isIdle(name));
  const quickest = reaches.toSorted((a, b) => a.milliseconds - b.milliseconds);
  const add = (reached: (lines: readonly number[]) => boolean) => {
    for (const { claim, lines } of quickest) {
      if (!wanted.includes(claim) && reached(lines[file] ?? [])) wanted.push(claim);
    }
  };
  if (most >= 1) {
    add((lines) => told ? lines.some((line) => line >= first && line <= last) : lines.length > 0);
  }
  // Constants are read by whatever runs anything of their file; what nobody reports on may be run by all.
  const isConstant = /^\S/.test(text.split("\n")[first - 1]);
  if (most >= 2 || most === 1 && (isConstant || !known)) add((lines) => lines.length > 0);
  if (most >= 3 || most >= 1 && !known) add(() => true);
  return wanted;
}

/** Lines of WebAssembly are not counted: what calls a primitive stands for them. */
function fileThatRuns(file: string): string {
  return file.replace("kernels/wasm/assembly/", "kernels/wasm/operations/");
}
