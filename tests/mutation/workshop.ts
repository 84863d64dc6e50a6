import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { deno } from "../child.ts";
import { copyOf } from "../recipes/tree.ts";
import { type Mutant, mutate } from "./mutant.ts";

/** Sources from which WebAssembly is built, the program that does it, and what it writes. */
const BUILT = {
  sources: ["kernels/wasm/assembly/", "kernels/wasm/engine/layout.ts"],
  program: "kernels/wasm/build.ts",
  files: [
    "kernels/wasm/engine/codes.generated.ts",
    "kernels/wasm/assembly/task.generated.ts",
    "kernels/wasm/arguments.generated.ts",
    "kernels/wasm/module.generated.ts",
  ],
} as const;
/** Milliseconds after which a command hangs. */
const LIMIT = 300_000;

/** A copy of the tree in which one mutant after the other is made. */
export class Workshop {
  /** The root of the copy. */
  readonly folder: string = copyOf("kdeformer-mutant-");
  readonly #before = new Map<string, string>();

  /**
   * Puts faults in, and builds what is made of their files.
   *
   * @returns Why it is no program, or undefined.
   */
  async make(...mutants: readonly Mutant[]): Promise<string | undefined> {
    this.restore();
    for (const mutant of mutants) {
      const text = mutate(readFileSync(join(this.folder, mutant.file), "utf8"), mutant);
      this.#write(mutant.file, text);
    }
    const isBuilt = ({ file }: Mutant) => BUILT.sources.some((source) => file.startsWith(source));
    if (!mutants.some(isBuilt)) return undefined;
    for (const file of BUILT.files) this.#keep(file);
    const { code, stderr } = await deno(["run", "-A", "--no-lock", BUILT.program], {
      cwd: this.folder,
      limit: LIMIT,
    });
    return code === 0 ? undefined : stderr;
  }

  /** What the compiler has against the file of a mutant that was made; undefined if nothing. */
  async typeFaults({ file }: Mutant): Promise<string | undefined> {
    if (file.includes("/assembly/")) return undefined;
    const { code, stderr } = await deno(["check", "--quiet", "--no-lock", file], {
      cwd: this.folder,
      limit: LIMIT,
    });
    return code === 0 ? undefined : stderr;
  }

  /** Takes the fault out. */
  restore(): void {
    for (const [file, text] of this.#before) writeFileSync(join(this.folder, file), text);
    this.#before.clear();
  }

  /** Removes the copy. */
  close(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  #keep(file: string): void {
    if (!this.#before.has(file)) this.#before.set(file, readFileSync(join(this.folder, file), "utf8"));
  }

  #write(file: string, text: string): void {
    this.#keep(file);
    writeFileSync(join(this.folder, file), text);
  }
}
