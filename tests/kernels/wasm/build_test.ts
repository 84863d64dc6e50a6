import { assertEquals } from "@std/assert";
import { generate, generateArguments } from "../../../kernels/wasm/build.ts";

Deno.test("generate() gives the committed module.generated.ts, byte for byte", async () => {
  const committed = new URL("../../../kernels/wasm/module.generated.ts", import.meta.url);
  assertEquals(await generate() === await Deno.readTextFile(committed), true, "run `deno task build:wasm`");
});

Deno.test("generateArguments() gives the committed arguments.generated.ts", async () => {
  const committed = new URL("../../../kernels/wasm/arguments.generated.ts", import.meta.url);
  assertEquals(await generateArguments(), await Deno.readTextFile(committed), "run `deno task build:wasm`");
});
