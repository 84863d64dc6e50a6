import { assertEquals } from "@std/assert";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { generate } from "../../../kernels/webgpu/build.ts";
import { root } from "../../child.ts";

Deno.test("generate() gives the committed shaders.generated.ts", async () => {
  const committed = new URL("../../../kernels/webgpu/shaders.generated.ts", import.meta.url);
  assertEquals(await generate() === await Deno.readTextFile(committed), true, "run `deno task build:wgsl`");
});

Deno.test("nothing that is shipped as a library is imported with attributes, which bundlers do not know", () => {
  for (const folder of ["kernels", "estimators"]) {
    const files = readdirSync(join(root, folder), { recursive: true, encoding: "utf8" });
    for (const file of files.filter((name) => name.endsWith(".ts"))) {
      assertEquals(
        /\bfrom\s+"[^"]*"\s+with\b/.test(readFileSync(join(root, folder, file), "utf8")),
        false,
        file,
      );
    }
  }
});
