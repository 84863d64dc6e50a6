import { spawn } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { isGranted } from "../files/permissions.ts";
import type { MemoryQuestion } from "../proofs_checks/scaling/options.ts";

/**
 * Growth of resident memory while one problem is attended, in bytes, measured in a process of its own: in this one earlier work
 * would have left memory to be used again. Null where that cannot be had: not on Linux, not from a URL, or where Deno may start no program.
 */
export function peakMemory(question: MemoryQuestion): Promise<number | null> {
  const script = new URL("./memory_child.ts", import.meta.url);
  if (script.protocol !== "file:" || process.platform !== "linux") return Promise.resolve(null);
  // A program that is started is given the whole environment.
  if (!isGranted({ name: "run", command: process.execPath }) || !isGranted({ name: "env" })) {
    return Promise.resolve(null);
  }
  const run = process.versions.deno ? ["run", "-A", "--no-lock"] : ["run"];
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [...run, fileURLToPath(script), JSON.stringify(question)], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    let text = "";
    child.stdout.on("data", (chunk) => text += chunk);
    child.on("error", () => resolve(null));
    child.on("close", (code) => resolve(code === 0 ? JSON.parse(text) : null));
  });
}
