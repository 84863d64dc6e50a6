import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

/** The root of this repository. */
export const root: string = fileURLToPath(new URL("..", import.meta.url));

/** What a child process left behind. */
export interface ChildResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** How a child process is run. */
export interface ChildOptions {
  readonly cwd?: string;
  readonly env?: Record<string, string>;
  /** Passes its output on while it runs. */
  readonly show?: boolean;
  /** Milliseconds after which it is ended. */
  readonly limit?: number;
}

/** Runs a program to its end. */
export function runChild(
  program: string,
  args: readonly string[],
  { cwd = root, env = {}, show = false, limit }: ChildOptions = {},
): Promise<ChildResult> {
  // Without such a directory of its own every Vulkan driver complains on the error stream.
  const runtimeDirectory = mkdtempSync(join(tmpdir(), "kdeformer-"));
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd,
      env: { XDG_RUNTIME_DIR: runtimeDirectory, ...process.env, NO_COLOR: "1", ...env },
      timeout: limit,
      stdio: ["ignore", "pipe", "pipe"],
    });
    let stdout = "", stderr = "";
    child.stdout.on("data", (chunk) => {
      stdout += chunk;
      if (show) process.stdout.write(chunk);
    });
    child.stderr.on("data", (chunk) => {
      stderr += chunk;
      if (show) process.stderr.write(chunk);
    });
    child.on("error", reject);
    child.on("close", (code) => {
      rmSync(runtimeDirectory, { recursive: true, force: true });
      resolve({ code: code ?? -1, stdout, stderr });
    });
  });
}

/** Runs Deno in the root of the repository. */
export function deno(args: readonly string[], options?: ChildOptions): Promise<ChildResult> {
  return runChild(process.execPath, args, options);
}

/** Runs the command line with Deno. */
export function cli(...args: string[]): Promise<ChildResult> {
  // Quiet: a package that is fetched at first use is no word of the program.
  return deno(["run", "-A", "--quiet", "--no-lock", "cli.ts", ...args]);
}

/**
 * Arguments that make `@std/assert` resolve here, and which one that is, in words: JSR's, or the stand-in of
 * tests/offline where JSR cannot be reached.
 */
export async function assertSource(): Promise<{ args: string[]; words: string }> {
  const probe = 'import "jsr:@std/assert@^1.0.19";';
  const { code } = await deno(["eval", "--no-lock", probe], { limit: 20_000 });
  return code === 0 ? { args: ["--no-lock"], words: "@std/assert comes from JSR" } : {
    args: ["--no-lock", "--import-map=tests/offline/import_map.json"],
    words: "JSR cannot be reached: tests/offline stands in for @std/assert",
  };
}
