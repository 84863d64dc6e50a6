/** Measures one section and prints its Markdown: `run_section.ts NAME [number …]`; `results.ts` puts it in its place. */
import process from "node:process";
import { sections } from "./sections.ts";

const [name, ...parameters] = process.argv.slice(2);
const section = sections.find((one) => one.name === name);
if (!section) throw new RangeError(`Cannot measure ${name}: there is no such section`);
// What packages have to say is no part of the section.
console.log = console.error;
const markdown = await section.run(parameters.map(Number));
await new Promise<void>((resolve) => void process.stdout.write(`${markdown}\n`, () => resolve()));
// Other engines' threads would keep the process alive.
process.exit(0);
