import { assertEquals, assertThrows } from "@std/assert";
import { boundArrays, interfaceOf, parameterWords } from "../../../kernels/webgpu/engine/kernel_interface.ts";

const kernel = {
  file: "example.wgsl",
  source: [
    `struct Parameters {
  count: u32, // of rows
  offset: i32,
  scale: f32,
}
@group(0) @binding(0) var<uniform> parameters: Parameters;
@group(0) @binding(2) var<storage, read_write> result: array<f32>; // (count) f32`,
    "@group(0) @binding(1) var<storage, read> rows: array<vec4f>;",
  ],
};
const array = { type: "float", length: 1 } as const;

Deno.test("a kernel takes what its text says, wherever it stands", () => {
  assertEquals(interfaceOf(kernel), {
    parameters: [
      { name: "count", type: "u32" },
      { name: "offset", type: "i32" },
      { name: "scale", type: "f32" },
    ],
    bindings: [{ name: "rows", access: "read" }, { name: "result", access: "write" }],
  });
});

Deno.test("parameters reach a kernel by name, whatever their order", () => {
  const words = parameterWords(kernel, { scale: -1.5, count: 4e9, offset: -7 });
  assertEquals([...words], [4e9, 2 ** 32 - 7, 0xbfc00000]);
  assertEquals(boundArrays(kernel, { result: array, rows: undefined }), [undefined, array]);
});

Deno.test("a parameter or binding that is missing, or that there is none of, is refused by name", () => {
  const all = { count: 1, offset: 2, scale: 3 };
  const { scale: _, ...some } = all;
  assertThrows(
    () => parameterWords(kernel, some),
    TypeError,
    "Cannot run example.wgsl: parameter scale is missing",
  );
  assertThrows(
    () => parameterWords(kernel, { ...all, width: 3 }),
    TypeError,
    "Cannot run example.wgsl: it has no parameter width",
  );
  assertThrows(() => boundArrays(kernel, { rows: array }), TypeError, "binding result is missing");
  const bindings = { rows: array, result: array, other: undefined };
  assertThrows(() => boundArrays(kernel, bindings), TypeError, "it has no binding other");
});
