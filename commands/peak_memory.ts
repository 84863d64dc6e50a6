import { spawn } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { isGranted } from "../files/permissions.ts";
import { valueBytes } from "../files/npy/format.ts";
import type { AttentionInput } from "../proofs_checks/inputs/family.ts";
import type { MemoryQuestion } from "../proofs_checks/scaling/options.ts";

/**
 * Growth of resident memory while one problem is attended, in bytes, measured in a process of its own: in this one earlier work
 * would have left memory to be used again. Null where that cannot be had: not on Linux, not from a URL, or where Deno may start no program.
 */
export function peakMemory(question: MemoryQuestion): Promise<number | null> {
  return askChild(question, []);
}

/** {@link peakMemory} of an input that is here: its numbers go to the process through a pipe. */
export function peakMemoryOf(
  { query, key, value, scale }: AttentionInput,
  { device, options }: Pick<MemoryQuestion, "device" | "options">,
): Promise<number | null> {
  const tensors = [query, key, value], shapes = tensors.map(({ shape }) => shape);
  return askChild({ shapes, device, options: { ...options, scale } }, tensors.map(valueBytes));
}

/** Null where no answer comes. */
function askChild(question: object, numbers: readonly Uint8Array[]): Promise<number | null> {
  const script = new URL("./memory_child.ts", import.meta.url);
  if (script.protocol !== "file:" || process.platform !== "linux") return Promise.resolve(null);
  // A program that is started is given the whole environment.
  if (!isGranted({ name: "run", command: process.execPath }) || !isGranted({ name: "env" })) {
    return Promise.resolve(null);
  }
  const run = process.versions.deno ? ["run", "-A", "--no-lock"] : ["run"];
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [...run, fileURLToPath(script), JSON.stringify(question)], {
      stdio: ["pipe", "pipe", "ignore"],
    });
    let text = "";
    child.stdout.on("data", (chunk) => text += chunk);
    // A process that ends before it has read everything says so by its code.
    child.stdin.on("error", () => {});
    child.on("error", () => resolve(null));
    child.on("close", (code) => resolve(code === 0 ? JSON.parse(text) : null));
    for (const bytes of numbers) child.stdin.write(bytes);
    child.stdin.end();
  });
}
