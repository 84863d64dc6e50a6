/** A fault put into one file of the tree, as a person might make it. */
export interface Mutant {
  /** Short, and its own. */
  readonly id: string;
  /** From the root, with forward slashes. */
  readonly file: string;
  /** What is wrong then, in words. */
  readonly fault: string;
  /** Text that occurs once in the file. */
  readonly find: string;
  /** What takes its place. */
  readonly replace: string;
  /** Claims that should notice, the likeliest first. */
  readonly claims?: readonly string[];
  /** Why no guarantee breaks by it, where none does: what survives then is no gap. */
  readonly harmless?: string;
}

/**
 * The text of a file with the fault in it.
 *
 * @throws {Error} If the words to be replaced are not there once, or nothing changes.
 */
export function mutate(text: string, { id, file, find, replace }: Mutant): string {
  const parts = text.split(find);
  if (parts.length !== 2) {
    throw new Error(`Cannot make mutant ${id}: ${file} has ${parts.length - 1} places '${find}'`);
  }
  if (find === replace) throw new Error(`Cannot make mutant ${id}: it changes nothing`);
  return parts[0] + replace + parts[1];
}

/** First and last of the lines, counted from 1, that a mutant changes. */
export function linesOf(text: string, { find }: Mutant): readonly [first: number, last: number] {
  const first = text.slice(0, text.indexOf(find)).split("\n").length;
  return [first, first + find.split("\n").length - 1];
}
