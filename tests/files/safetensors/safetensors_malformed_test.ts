import { assertEquals, assertStringIncludes } from "@std/assert";
import { LARGEST_HEADER_BYTES } from "../../../files/safetensors/header.ts";
import { readBytes } from "../read_bytes.ts";
import { doubles, formatSafetensors, k, longs, q, values, withHeader } from "./format_safetensors.ts";

const read = (bytes: Uint8Array) => readBytes(bytes, "a.safetensors", ":q");

/** A file of one tensor or several whose header has these entries. */
const headed = (entries: unknown, data = 16) => withHeader(JSON.stringify(entries), new Uint8Array(data));
const entry = (more: Record<string, unknown>) => ({
  dtype: "F32",
  shape: [2, 2],
  data_offsets: [0, 16],
  ...more,
});
const whole = formatSafetensors({ q, k });

const malformed: readonly (readonly [what: string, bytes: Uint8Array, message: string])[] = [
  [
    "an empty file",
    new Uint8Array(),
    "not a safetensors file: it must start with 8 bytes of length and then 7b: it is empty",
  ],
  [
    "a zip archive",
    new TextEncoder().encode("PK\x03\x04 archive"),
    "not a safetensors file: it must start with 8 bytes of length and then 7b: current value is 50 4b 03 04 20 61 72 63 68",
  ],
  ["a cut length", whole.subarray(0, 7), "not a safetensors file"],
  [
    "a header without its brace",
    withHeader("[]", new Uint8Array()),
    "and then 7b: current value is 08 00 00 00 00 00 00 00 5b",
  ],
  [
    "a header of 2^60 bytes",
    withHeader("{}", new Uint8Array(), 2n ** 60n),
    `header must be at most ${LARGEST_HEADER_BYTES} bytes: current value is 1152921504606846976`,
  ],
  ["a header that is cut off", whole.subarray(0, 40), "file is cut off in its header: wanted"],
  [
    "a header of the largest size that is not there",
    withHeader("{}", new Uint8Array(), BigInt(LARGEST_HEADER_BYTES)),
    "but the file holds 16",
  ],
  [
    "a header that is no JSON",
    withHeader("{'q': 1}", new Uint8Array()),
    "header must be JSON of at most 16 levels: current value is \"{'q': 1}\"",
  ],
  ["a header with text after it", withHeader("{} {}", new Uint8Array()), "header must be JSON"],
  ["an unclosed header", withHeader('{"q":{', new Uint8Array()), "header must be JSON"],
  [
    "a header of brackets",
    withHeader(`{"q":${"[".repeat(1 << 20)}`, new Uint8Array()),
    "header must be JSON",
  ],
  ["a header that is no UTF-8", withHeader("{", Uint8Array.of(0xff), 9n), "header must be UTF-8"],
  ["no tensor", headed({}, 0), "a.safetensors:q: there is no such array in it: it has none"],
  [
    "no such tensor",
    formatSafetensors({ k, v: k }),
    "a.safetensors:q: there is no such array in it: it has k, v",
  ],
  ["metadata for a tensor", headed({ __metadata__: entry({}) }, 0), "it has none"],
  [
    "a tensor twice",
    withHeader(
      `{"q":${JSON.stringify(entry({}))}, "\\u0071" :${JSON.stringify(entry({}))}}`,
      new Uint8Array(16),
    ),
    "a.safetensors:q: header must have it once: it stands there twice",
  ],
  [
    "a shape twice",
    withHeader(
      '{"k":{"x":[{"y":1}]},"q":{"dtype":"F32","shape":[2,2],"shape":[4,1],"data_offsets":[0,16]}}',
      new Uint8Array(16),
    ),
    "a.safetensors:q: header must have its shape once: it stands there twice",
  ],
  [
    "an entry that is a number",
    headed({ q: 3 }),
    "a.safetensors:q: dtype must be a string: current value is missing",
  ],
  [
    "an entry that is null",
    headed({ q: null }),
    "a.safetensors:q: dtype must be a string: current value is missing",
  ],
  [
    "a dtype that is a number",
    headed({ q: entry({ dtype: 32 }) }),
    "a.safetensors:q: dtype must be a string: current value is 32",
  ],
  [
    "floats of one byte",
    headed({ q: entry({ dtype: "F8_E5M2" }) }),
    "a.safetensors:q: dtype must be F64, F32, F16, BF16, I64, I32, I16, I8, U64, U32, U16, U8, BOOL: current value is F8_E5M2",
  ],
  ["complex numbers", headed({ q: entry({ dtype: "C64" }) }), "current value is C64"],
  [
    "a missing shape",
    headed({ q: entry({ shape: undefined }) }),
    "a.safetensors:q: shape must be integers from 0 to 2^53 − 1: current value is missing",
  ],
  ["a negative extent", headed({ q: entry({ shape: [-2, -2] }) }), "current value is [-2,-2]"],
  ["half an extent", headed({ q: entry({ shape: [1.5, 2] }) }), "current value is [1.5,2]"],
  ["an extent in words", headed({ q: entry({ shape: ["2", 2] }) }), 'current value is ["2",2]'],
  [
    "an extent of 2^53",
    headed({ q: entry({ shape: [2 ** 53, 2] }) }),
    "shape must be integers from 0 to 2^53 − 1",
  ],
  [
    "a shape of a million parts",
    headed({ q: entry({ shape: new Array(1e6).fill(1), data_offsets: [0, 4] }) }, 4),
    "array must have 2 to 4 dimensions: current value is 1000000",
  ],
  [
    "one offset",
    headed({ q: entry({ data_offsets: [16] }) }),
    "a.safetensors:q: data_offsets must be two integers from 0 to 2^53 − 1, the second no less: current value is [16]",
  ],
  ["offsets backwards", headed({ q: entry({ data_offsets: [16, 0] }) }), "current value is [16,0]"],
  ["a negative offset", headed({ q: entry({ data_offsets: [-16, 0] }) }), "current value is [-16,0]"],
  [
    "offsets that do not match the shape",
    headed({ q: entry({ shape: [2, 3] }) }),
    "a.safetensors:q: data_offsets must hold 2 × 3 values of 4 bytes, 24 in all: current value is [0,16]",
  ],
  [
    "a shape whose product overflows",
    headed({ q: entry({ shape: [2 ** 32, 2 ** 32] }) }),
    "data_offsets must hold 4294967296 × 4294967296 values of 4 bytes",
  ],
  [
    "offsets beyond the file",
    headed({ q: entry({ shape: [2 ** 30, 2 ** 10], data_offsets: [0, 2 ** 42] }) }),
    "a.safetensors:q: data_offsets must lie in the 16 bytes of data that the file holds: current value is [0,4398046511104]",
  ],
  [
    "tensors that overlap",
    headed({ q: entry({}), k: entry({ data_offsets: [8, 24] }) }, 24),
    "a.safetensors:k: data_offsets must begin at 16, where q ends: current value is [8,24]",
  ],
  [
    "a tensor that is another too",
    headed({ q: entry({}), k: entry({}) }),
    "a.safetensors:k: data_offsets must begin at 16, where q ends: current value is [0,16]",
  ],
  [
    "a hole in front",
    headed({ q: entry({ data_offsets: [4, 20] }) }, 20),
    "a.safetensors:q: data_offsets must begin at 0, where the header ends: current value is [4,20]",
  ],
  [
    "a hole between tensors",
    headed({ q: entry({}), k: entry({ data_offsets: [20, 36] }) }, 36),
    "a.safetensors:k: data_offsets must begin at 16, where q ends",
  ],
  [
    "bytes left over",
    headed({ q: entry({}) }, 19),
    "the last tensor must end with the file: 3 more bytes follow",
  ],
  [
    "a file that is cut off in another tensor",
    whole.subarray(0, -1),
    "a.safetensors:k: data_offsets must lie in the 27 bytes of data that the file holds: current value is [16,28]",
  ],
  [
    "one dimension",
    headed({ q: entry({ shape: [4] }) }),
    "a.safetensors:q: array must have 2 to 4 dimensions: current value is 1",
  ],
  ["five dimensions", headed({ q: entry({ shape: [1, 1, 1, 2, 2] }) }), "current value is 5"],
  [
    "no values",
    headed({ q: entry({ shape: [2, 0], data_offsets: [0, 0] }) }, 0),
    "a.safetensors:q: dimension 1 must be a positive integer: current value is 0",
  ],
  [
    "an f64 value above f32",
    formatSafetensors({ q: { dtype: "F64", shape: [2, 2], bytes: doubles([1, 2, -1e300, 4]) } }),
    "a.safetensors:q: value at [1, 0] must fit a 32-bit float: current value is -1e+300",
  ],
  [
    "a truth value of 2",
    formatSafetensors({ q: { dtype: "BOOL", shape: [1, 2], bytes: Uint8Array.of(1, 2) } }),
    "value at [0, 1] must be 0 or 1",
  ],
  [
    "an integer that f32 has not",
    formatSafetensors({ q: { dtype: "I64", shape: [2, 1], bytes: longs([1n, 16777217n]) } }),
    "value at [1, 0] must be exact as a 32-bit float, being an integer: current value is 16777217",
  ],
];

for (const [what, bytes, message] of malformed) {
  Deno.test(`readArray() refuses a .safetensors file with ${what}`, async () => {
    assertStringIncludes(String(await read(bytes)), message);
  });
}

Deno.test("readArray() refuses a .safetensors file that is cut off anywhere", async () => {
  for (let end = 0; end < whole.length; end++) {
    assertEquals(typeof await read(whole.subarray(0, end)), "string", `${end} bytes`);
  }
  assertEquals(await read(whole), values);
});

Deno.test("readArray() refuses a .safetensors file whose header is damaged anywhere, or reads the same", async () => {
  const bytes = formatSafetensors({ q, k }, { format: "np" });
  const end = bytes.length - q.bytes.length - k.bytes.length;
  for (let at = 0; at < end; at++) {
    for (const bit of [at % 8, (at + 3) % 8]) {
      const damaged = bytes.slice();
      damaged[at] ^= 1 << bit;
      const found = await read(damaged);
      if (typeof found !== "string") assertEquals(found, values, `bit ${bit} of byte ${at}`);
    }
  }
});

Deno.test("readArray() refuses a wrong value anywhere in the header of a .safetensors file, or reads the same", async () => {
  const right = { q: entry({}), k: { dtype: "F16", shape: [3, 2], data_offsets: [16, 28] } };
  const wrong = [
    null,
    true,
    -1,
    0.5,
    1e30,
    2 ** 53,
    17,
    "",
    "F16",
    "q",
    [],
    [1],
    [-1, 16],
    [[2], 2],
    {},
    { dtype: "F32" },
  ];
  const places = Object.entries(right).flatMap(([name, { shape, data_offsets: offsets }]) => [
    [name],
    ...["dtype", "shape", "data_offsets"].map((field) => [name, field]),
    ...[...shape.keys()].map((at) => [name, "shape", at]),
    ...[...offsets.keys()].map((at) => [name, "data_offsets", at]),
  ]);
  const data = new Uint8Array([...q.bytes, ...k.bytes]);
  for (const place of places) {
    for (const value of wrong) {
      const header = structuredClone(right), parents = place.slice(0, -1);
      // deno-lint-ignore no-explicit-any
      const parent = parents.reduce((found: any, step) => found[step], header);
      parent[place.at(-1)!] = value;
      const found = await read(withHeader(JSON.stringify(header), data)),
        where = `${place} = ${JSON.stringify(value)}`;
      if (typeof found !== "string") assertEquals(found, values, where);
      // A dtype that is unknown here does not hinder reading another tensor.
      assertEquals(
        typeof found !== "string",
        String(place) === "k,dtype" && typeof value === "string",
        where,
      );
    }
  }
});
