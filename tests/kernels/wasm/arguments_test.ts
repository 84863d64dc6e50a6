import { assertEquals, assertThrows } from "@std/assert";
import { argumentClasses } from "../../../kernels/wasm/arguments.generated.ts";
import { type ArgumentsName, type Fields, packArguments } from "../../../kernels/wasm/engine/arguments.ts";

const array = (address: number) => ({ type: "float" as const, length: 1, address });

Deno.test("the arguments of every operation fit into its words", () => {
  for (const [name, fields] of Object.entries(argumentClasses)) {
    const zeros = Object.fromEntries(Object.keys(fields).map((field) => [field, undefined]));
    const words = packArguments(name as ArgumentsName, zeros as unknown as Fields<ArgumentsName>);
    assertEquals(words.length >= Object.keys(fields).length && words.length <= 48, true, name);
  }
});

Deno.test("arguments reach an operation by name, whatever their order", () => {
  const sums = array(4096), importance = array(2 ** 31 + 64);
  const words = Uint32Array.from(packArguments("ImportanceArguments", {
    valueScale: 0.5,
    heads: 2,
    keys: 3,
    probes: 4,
    counted: 5,
    valueFeatures: 6,
    sums,
    importance,
    probabilities: undefined,
    value: undefined,
    centre: undefined,
    sizes: undefined,
    columns: undefined,
    columnShare: 0.25,
    valueShare: -1,
    uniformShare: 3,
  }));
  assertEquals([...new Float64Array(words.buffer, 0, 3)], [0.25, -1, 3]);
  assertEquals([...words.subarray(6, 18)], [0, 0, 0, 2 ** 31 + 64, 0, 0, 4096, 2, 3, 4, 5, 6]);
  assertEquals(new Float32Array(words.buffer, 4 * 18, 1)[0], 0.5);
});

Deno.test("an argument that is missing, or that there is none of, is refused by name", () => {
  const shape = {
    rows: undefined,
    other: undefined,
    result: undefined,
    heads: 1,
    count: 1,
    width: 1,
    picks: 1,
  };
  const { width: _, ...some } = shape;
  assertThrows(
    () => packArguments("RowArguments", some as unknown as typeof shape),
    TypeError,
    "Cannot record an operation: RowArguments lacks width",
  );
  const more = { ...shape, folded: 4 };
  assertThrows(() => packArguments("RowArguments", more), TypeError, "RowArguments has no folded");
});
