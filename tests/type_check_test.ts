import { assertEquals } from "@std/assert";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { deno, root } from "./child.ts";

const program = `
import { attention, openDevice, tensor } from "${pathToFileURL(join(root, "mod.ts"))}";
using device = await openDevice({ prefer: "reference" });
const { output } = await attention(tensor([1], [1, 1]), tensor([1], [1, 1]), tensor([2], [1, 1]), { device });
console.log(output.data[0]);
`;

/** Compiler options that programs have which import the module by its path; none are Deno's own. */
const settings: Record<string, object | undefined> = {
  "Deno's own settings": undefined,
  "those of a worker": { lib: ["deno.worker"] },
};

for (const [name, compilerOptions] of Object.entries(settings)) {
  Deno.test(`a program that imports mod.ts by its path type-checks with ${name}`, async () => {
    const folder = mkdtempSync(join(tmpdir(), "kdeformer-check-"));
    try {
      writeFileSync(join(folder, "program.ts"), program);
      if (compilerOptions) writeFileSync(join(folder, "deno.json"), JSON.stringify({ compilerOptions }));
      const config = compilerOptions ? [] : ["--no-config"];
      const args = ["check", "--no-lock", "--quiet", ...config, "program.ts"];
      const { code, stderr } = await deno(args, { cwd: folder, limit: 120_000 });
      assertEquals(code, 0, stderr);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
}
