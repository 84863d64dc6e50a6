import { assertEquals } from "@std/assert";
import { generate, generateArguments } from "../../../kernels/wasm/build.ts";
import { generateCodes, generateSwitch } from "../../../kernels/wasm/build_tasks.ts";

Deno.test("generate() gives the committed module.generated.ts, byte for byte", async () => {
  const committed = new URL("../../../kernels/wasm/module.generated.ts", import.meta.url);
  assertEquals(await generate() === await Deno.readTextFile(committed), true, "run `deno task build:wasm`");
});

Deno.test("generateArguments() gives the committed arguments.generated.ts", async () => {
  const committed = new URL("../../../kernels/wasm/arguments.generated.ts", import.meta.url);
  assertEquals(await generateArguments(), await Deno.readTextFile(committed), "run `deno task build:wasm`");
});

Deno.test("generateCodes() and generateSwitch() give the committed numbers and the committed switch", async () => {
  const folder = new URL("../../../kernels/wasm/", import.meta.url);
  const files = {
    "engine/codes.generated.ts": await generateCodes(),
    "assembly/task.generated.ts": await generateSwitch(),
  };
  for (const [name, text] of Object.entries(files)) {
    assertEquals(text, await Deno.readTextFile(new URL(name, folder)), "run `deno task build:wasm`");
  }
});
