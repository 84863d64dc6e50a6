import { assertEquals } from "@std/assert";
import { generate } from "../../kernels/build.ts";
import { primitiveNames } from "../../kernels/known_answers/known_answers.ts";
import { operations as onReference } from "../../kernels/reference/operations.generated.ts";
import { operations as onWasm } from "../../kernels/wasm/operations/operations.generated.ts";
import { operations as onWebGpu } from "../../kernels/webgpu/operations/operations.generated.ts";

Deno.test("generate() gives the committed tables of primitives", async () => {
  for (const [path, text] of Object.entries(await generate())) {
    const committed = await Deno.readTextFile(new URL(`../../kernels/${path}`, import.meta.url));
    assertEquals(text, committed, `${path}: run \`deno task build\``);
  }
});

Deno.test("the tables hold every primitive that has known answers; WebGPU binds attend by itself", () => {
  const expected = [...primitiveNames].sort();
  assertEquals(Object.keys(onReference).sort(), expected);
  assertEquals(Object.keys(onWasm).sort(), expected);
  assertEquals([...Object.keys(onWebGpu), "attend"].sort(), expected);
});
