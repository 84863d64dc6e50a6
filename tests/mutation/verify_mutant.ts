import { spawn } from "node:child_process";
import process from "node:process";
import { createInterface } from "node:readline";

/** How a mutant was noticed. */
export interface Kill {
  /**
   * `claim`: a verdict against expectation, or a run that threw. `self test`: the device was not opened. `crash`: the command
   * ended otherwise. `hang`: it said nothing for long. `tests`: a test failed. `build`: what is generated could not be.
   */
  readonly by: "claim" | "self test" | "crash" | "hang" | "tests" | "build";
  /** The claim or the test file. */
  readonly name: string;
  readonly family?: string;
  /** Runs of that case until then. */
  readonly runs?: number;
  /** The line that says so. */
  readonly words: string;
}

/** Milliseconds without a word after which a command hangs: the longest case takes less than one of them. */
const SILENCE = 240_000;
/** What a device says that is not to be trusted. */
const SELF_TEST = /self test of/;
/** Signs of cases that are as they should be, undecided, or not applicable. */
const INNOCENT = new Set(["✓", "?", "–"]);
/** A standard verification promises verdicts. */
const INNOCENT_AT_STANDARD = new Set(["✓", "–"]);

/** How much a verification undertakes that mutants are tried by. */
export const efforts = ["quick", "standard"] as const;
/** One of {@link efforts}. */
export type Effort = typeof efforts[number];

/** What `verify` has against a tree, by one claim; it is ended as soon as one case is bad. */
export async function verifyClaim(
  folder: string,
  claim: string,
  effort: Effort,
  further: readonly string[] = [],
): Promise<Kill | undefined> {
  const args = ["run", "-A", "--no-lock", "cli.ts", "verify", "--device", "wasm", "--claim", claim];
  const child = spawn(process.execPath, [...args, "--level", effort, ...further], {
    cwd: folder,
    env: { ...process.env, NO_COLOR: "1" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let kill: Kill | undefined, errors = "";
  const end = (found: Kill) => {
    kill ??= found;
    child.kill("SIGKILL");
  };
  const silence = () =>
    setTimeout(() => end({ by: "hang", name: claim, words: `no case in ${SILENCE} ms` }), SILENCE);
  let timer = silence();
  child.stderr.on("data", (chunk) => errors += chunk);
  createInterface({ input: child.stdout }).on("line", (line) => {
    clearTimeout(timer);
    timer = silence();
    const found = badCase(line, claim, effort);
    if (found) end(found);
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", resolve);
  });
  clearTimeout(timer);
  if (kill || code === 0) return kill;
  const words = errors.trim().split("\n").at(-1) ?? "";
  if (code === 2 && /^Try: /.test(words)) throw new Error(`Cannot verify ${claim}: ${errors}`);
  return { by: SELF_TEST.test(errors) ? "self test" : "crash", name: claim, words };
}

/** What a line of the command says against the tree. */
function badCase(line: string, claim: string, effort: Effort): Kill | undefined {
  const [, sign, rest] = /^(\S) (.*)$/.exec(line) ?? ["", "", ""], at = rest.indexOf(` ${claim} `);
  const innocent = effort === "standard" ? INNOCENT_AT_STANDARD : INNOCENT;
  if (at < 0 || innocent.has(sign)) return undefined;
  const [family] = rest.slice(at + claim.length + 2).trim().split(" ");
  const runs = / (\d+) runs /.exec(rest)?.[1] ?? /\brun (\d+): /.exec(rest)?.[1];
  const words = `${sign} ${rest.split(/ {2}deno run /)[0].replace(/\s+/g, " ")}`;
  const by = SELF_TEST.test(rest) ? "self test" : "claim";
  return { by, name: claim, family, runs: runs === undefined ? undefined : Number(runs), words };
}
