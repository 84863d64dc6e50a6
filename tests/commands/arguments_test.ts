import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { readOptions, UsageError } from "../../commands/arguments.ts";

const specs = {
  json: { kind: "target", value: "[FILE]", help: "" },
  out: { kind: "text", value: "O.npy", help: "" },
  names: { kind: "list", value: "NAME …", help: "" },
  seed: { kind: "integer", value: "N", help: "" },
  scale: { kind: "number", value: "S", help: "" },
  causal: { kind: "flag", help: "" },
} as const;
const read = (...args: string[]) => ({ ...readOptions("test", specs, args) });

Deno.test("A target is the standard output unless a word follows that can be a file", () => {
  assertEquals(read("--json"), { json: "-" });
  assertEquals(read("--json", "-"), { json: "-" });
  assertEquals(read("--json", "--causal"), { json: "-", causal: true });
  assertEquals(read("--causal", "--json", "a.json", "--seed", "4"), {
    json: "a.json",
    causal: true,
    seed: 4,
  });
  assertEquals(read("--json=b.json"), { json: "b.json" });
  assertEquals(read("--names", "a", "b", "--json", "--out", "o"), { names: ["a", "b"], json: "-", out: "o" });
});

Deno.test("An option is no value of another one, unless an equals sign says so", () => {
  for (const option of ["--out", "--names", "--seed", "--scale"]) {
    for (const args of [[option, "--causal"], [option, "--json"], [option, "-x"], [option]]) {
      const { message } = assertThrows(() => read(...args), UsageError);
      assertStringIncludes(message, `${option} needs a value: `);
    }
  }
  assertEquals(read("--out=--causal"), { out: "--causal" });
  assertEquals(read("--out", "-"), { out: "-" });
  assertEquals(read("--seed", "-7", "--scale", "-.5"), { seed: -7, scale: -0.5 });
  assertThrows(() => read("--out="), UsageError, "--out needs a value: O.npy");
});

Deno.test("What every object has is no option", () => {
  for (const name of ["toString", "constructor", "__proto__", "hasOwnProperty", "valueOf"]) {
    for (const args of [[`--${name}`], [`--${name}=5`], [`--${name}`, "5"]]) {
      assertThrows(() => read(...args), UsageError, `Unknown option --${name}`);
    }
  }
});
