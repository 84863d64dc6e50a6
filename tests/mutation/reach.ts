import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { claims } from "../../proofs_checks/claims/claims.ts";
import { deno, root } from "../child.ts";

/** Claims that take turns do so in no more runs: causal order every third, keys far out every other. */
const RUNS = 6;

/** Lines that {@link RUNS} runs of a claim on each of its families run, by file, and how long that takes. */
export interface Reach {
  readonly claim: string;
  readonly milliseconds: number;
  readonly lines: Readonly<Record<string, readonly number[]>>;
}

/**
 * What each claim runs: a fault in lines that a claim does not run cannot be noticed by it. Kept in a temporary file for
 * as long as the sources are the same.
 *
 * @param tree Tells sources apart.
 */
export async function reachOfClaims(
  tree: string,
  progress: (words: string) => void,
  workers: number,
): Promise<readonly Reach[]> {
  const kept = join(tmpdir(), `kdeformer-reach-${RUNS}-${tree}.json`);
  try {
    return JSON.parse(readFileSync(kept, "utf8"));
  } catch {
    // Not there yet.
  }
  const idle = await linesRun([]), reaches: Reach[] = [], due = claims.map(({ name }) => name);
  const measureNext = async () => {
    for (let claim = due.shift(); claim; claim = due.shift()) {
      progress(`what claims run: ${claim}, ${due.length} to go`);
      const start = performance.now(), found = await linesRun(["--claim", claim, "--runs", String(RUNS)]);
      const milliseconds = Math.round(performance.now() - start);
      const lines = Object.fromEntries(
        Object.entries(found).map(([file, own]) => [file, own.filter((line) => !idle[file]?.includes(line))]),
      );
      reaches.push({ claim, milliseconds, lines });
    }
  };
  await Promise.all(Array.from({ length: workers }, measureNext));
  writeFileSync(kept, JSON.stringify(reaches));
  return reaches;
}

/** Lines by file that `verify` runs, those that are run when nothing is verified only where nothing is named. */
async function linesRun(args: readonly string[]): Promise<Record<string, number[]>> {
  const folder = mkdtempSync(join(tmpdir(), "kdeformer-coverage-"));
  try {
    const what = args.length > 0 ? ["--device", "wasm", ...args] : ["--list"];
    await deno(["run", "-A", "--no-lock", `--coverage=${folder}`, "cli.ts", "verify", ...what]);
    // It complains of a coverage below what the tests reach.
    const { stdout } = await deno(["coverage", "--lcov", folder]);
    const lines: Record<string, number[]> = {};
    for (const part of stdout.split("end_of_record")) {
      const file = /^SF:(.*)$/m.exec(part)?.[1].replaceAll("\\", "/");
      if (!file?.startsWith(root)) continue;
      lines[file.slice(root.length)] = [...part.matchAll(/^DA:(\d+),(\d+)$/gm)].filter(([, , count]) =>
        count !== "0"
      )
        .map(([, line]) => Number(line));
    }
    if (Object.keys(lines).length === 0) {
      throw new Error(`Cannot tell what verify ${what.join(" ")} runs: no coverage`);
    }
    return lines;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
