/**
 * RESULTS.md as text: a head, then one block for each section that was measured, between two comments that name it
 * and its machine. A run with parameters of its own, `long 65536`, has a block of its own behind that of its section.
 */

/** A section as it was measured. */
export interface Block {
  readonly machine: string;
  readonly body: string;
}

/** Opens the paragraph that tells of another machine than the head does. */
const ELSEWHERE = "Measured on";

/** The blocks of a file by name; text outside of them is the command's own and is not kept. */
export function readBlocks(text: string): Map<string, Block> {
  const blocks = new Map<string, Block>();
  const block = /<!-- begin ([^:]+): (.*?) -->\n([\s\S]*?)<!-- end \1 -->/g;
  const note = new RegExp(`\n\n${ELSEWHERE} (?:[^\n]+\n?)+$`);
  for (const [, name, machine, body] of text.matchAll(block)) {
    blocks.set(name, { machine, body: body.trim().replace(note, "") });
  }
  return blocks;
}

/**
 * The whole file. Blocks follow the order of the sections; those of no section are left out.
 *
 * @param machine The head's; a block of another machine says so itself.
 */
export function writeResults(
  machine: string,
  blocks: ReadonlyMap<string, Block>,
  order: readonly string[],
): string {
  const sectionOf = (name: string) => order.indexOf(name.split(" ")[0]);
  const names = [...blocks.keys()].filter((name) => sectionOf(name) >= 0)
    .sort((a, b) => sectionOf(a) - sectionOf(b) || a.localeCompare(b, "en", { numeric: true }));
  return [
    "# Results",
    `${ELSEWHERE} ${machine}.`,
    "All of this is measured and written by `deno task bench`; the command of a section measures and replaces just " +
    "that. Times drift between runs and machines: only ratios inside one section mean anything. Where brackets " +
    "follow a median they hold the least and the largest value.",
    ...names.map((name) => {
      const block = blocks.get(name)!;
      const note = block.machine === machine ? "" : `\n\n${ELSEWHERE} ${block.machine}.`;
      return `<!-- begin ${name}: ${block.machine} -->\n\n${block.body}${note}\n\n<!-- end ${name} -->`;
    }),
  ].join("\n\n") + "\n";
}
