/**
 * Measures and writes RESULTS.md: `deno task bench [section [number …]] …`. Without names every section is measured;
 * with names only these are, and replace what the file had of them. Numbers behind a name are its parameters, and
 * such a run has a block of its own. With --print before everything else the file stays as it is.
 */
import { writeWhole } from "../files/write_whole.ts";
import { machine } from "./machine.ts";
import { type Block, readBlocks, writeResults } from "./results_file.ts";
import { type Section, sections } from "./sections.ts";
import { tell } from "./timing.ts";

const file = new URL("RESULTS.md", import.meta.url);
const child = new URL("run_section.ts", import.meta.url);
const names = sections.map(({ name }) => name);

/** A section and the parameters of its run. */
interface Request {
  readonly section: Section;
  readonly parameters: string[];
}

/**
 * Reads the command line.
 *
 * @throws {RangeError} If a word is neither a section nor a positive number behind one.
 */
export function readRequests(words: readonly string[]): Request[] {
  const requests: Request[] = [];
  for (const word of words) {
    const section = sections.find(({ name }) => name === word), last = requests[requests.length - 1];
    if (section) requests.push({ section, parameters: [] });
    else if (last && Number(word) > 0) last.parameters.push(word);
    else {
      const known = sections.map(({ name, parameters }) => `  ${name.padEnd(9)} ${parameters}`).join("\n");
      throw new RangeError(`Cannot measure ${word}: sections and the numbers they take are\n${known}`);
    }
  }
  return requests;
}

/** Measures in a process of its own, so that no section finds threads, memory or compiled code of another. */
async function measure({ section, parameters }: Request): Promise<string | null> {
  const { code, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-lock", child.href, section.name, ...parameters],
    stdin: "null",
    stderr: "inherit",
  }).output();
  return code === 0 ? new TextDecoder().decode(stdout).trim() : null;
}

/** Aligns tables and breaks lines as everywhere in the repository. */
async function format(): Promise<void> {
  await new Deno.Command(Deno.execPath(), { args: ["fmt", "--quiet", file.pathname] }).output();
}

/** Puts a section into the file. */
async function put(name: string, block: Block): Promise<void> {
  const blocks = readBlocks(await Deno.readTextFile(file));
  blocks.set(name, block);
  await writeWhole(file.pathname, writeResults(block.machine, blocks, names));
  await format();
}

if (import.meta.main) {
  const print = Deno.args[0] === "--print", asked = readRequests(Deno.args.slice(print ? 1 : 0));
  const here = await machine(), failed: string[] = [];
  for (const request of asked.length > 0 ? asked : sections.map((section) => ({ section, parameters: [] }))) {
    const { section, parameters } = request, name = [section.name, ...parameters].join(" ");
    tell(`== ${name}`);
    const found = await measure(request);
    if (found === null) {
      failed.push(name);
      continue;
    }
    const body = `## ${section.title}\n\n    deno task bench ${name}\n\n${found}`;
    // Written after every section: a later one that fails loses nothing.
    if (print) console.log(`${body}\n`);
    else await put(name, { machine: here, body });
  }
  if (failed.length > 0) {
    tell(`Not measured: ${failed.join(", ")}`);
    Deno.exit(1);
  }
}
