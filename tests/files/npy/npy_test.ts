import { assert, assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { LARGEST_HEADER_BYTES, parseNpyHeader } from "../../../files/npy/header.ts";
import { readArray } from "../../../files/arrays/read.ts";
import { formatNpy, writeNpy } from "./write_npy.ts";
import { type Tensor, tensor } from "../../../kernels/tensor.ts";

const fixture = (name: string) => fileURLToPath(new URL(`../../fixtures/npy/${name}`, import.meta.url));
/** What `make.py` stores in the fixtures named after a dtype. */
const VALUES = new Float32Array([-2.5, -0, 0.125, 1, 2 ** -24, 65504]);

async function inFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "npy-"));
  try {
    await body(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** An .npy file with the given header text, version and data. */
function npy(header: string, { major = 1, minor = 0, length = header.length, data = 16 } = {}): Uint8Array {
  const start = major === 1 ? 10 : 12;
  const bytes = new Uint8Array(start + header.length + data);
  bytes.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, major, minor]);
  const view = new DataView(bytes.buffer);
  if (major === 1) view.setUint16(8, length, true);
  else view.setUint32(8, length, true);
  bytes.set(new TextEncoder().encode(header), start);
  return bytes;
}

const dictionary = ({ descr = "'<f4'", fortran = "False", shape = "(2, 2)" } = {}) =>
  `{'descr': ${descr}, 'fortran_order': ${fortran}, 'shape': ${shape}, }\n`;

for (const name of ["f16", "f32", "f64"].flatMap((type) => [`${type}_little`, `${type}_big`])) {
  Deno.test(`readArray() reads ${name} as NumPy wrote it`, async () => {
    assertEquals(await readArray(fixture(`${name}.npy`)), { data: VALUES, shape: [2, 3] });
  });
}

Deno.test("readArray() reads format versions 2 and 3", async () => {
  for (const version of [2, 3]) {
    assertEquals(await readArray(fixture(`version_${version}.npy`)), { data: VALUES, shape: [2, 3] });
  }
});

Deno.test("readArray() reads three and four dimensions", async () => {
  const data = Float32Array.from({ length: 24 }, (_, i) => i);
  assertEquals(await readArray(fixture("rank_3.npy")), { data, shape: [2, 3, 4] });
  assertEquals(await readArray(fixture("rank_4.npy")), { data, shape: [1, 2, 3, 4] });
});

Deno.test("readArray() keeps NaN and infinities and rounds subnormal f64 values", async () => {
  const { data } = await readArray(fixture("special.npy"));
  assertEquals(data, new Float32Array([NaN, Infinity, -Infinity, 1e-40]));
  const half = await readArray(fixture("f16_special.npy"));
  assertEquals(half.data, new Float32Array([NaN, Infinity, -Infinity, 2 ** -14]));
});

Deno.test("parseNpyHeader() tells dtype, shape and where the values start", async () => {
  assertEquals(parseNpyHeader(await readFile(fixture("f64_big.npy")), "f64_big.npy"), {
    kind: "f",
    valueBytes: 8,
    littleEndian: false,
    fortranOrder: false,
    shape: [2, 3],
    size: 6,
    dataOffset: 128,
  });
});

Deno.test("What is written is what numpy.save writes, byte for byte", async () => {
  assertEquals(
    formatNpy(tensor(VALUES, [2, 3])),
    new Uint8Array(await readFile(fixture("f32_little.npy"))),
  );
});

Deno.test("writeNpy() and readArray() return the same tensor", async () => {
  await inFolder(async (folder) => {
    const path = join(folder, "round trip.npy");
    for (const shape of [[2, 3], [1, 1], [3, 5, 7], [2, 1, 4, 8], [1024, 1031]]) {
      const size = shape.reduce((a, b) => a * b);
      const written = tensor(Float32Array.from({ length: size }, (_, i) => Math.sin(i)), shape);
      await writeNpy(path, written);
      assertEquals(await readArray(path), written);
      assertEquals(parseNpyHeader(await readFile(path), path).dataOffset % 64, 0);
    }
    assertEquals(await readdir(folder), ["round trip.npy"]);
  });
});

Deno.test("writeNpy() writes a view of a larger buffer", async () => {
  await inFolder(async (folder) => {
    const path = join(folder, "view.npy");
    await writeNpy(path, tensor(new Float32Array([9, 1, 2, 9]).subarray(1, 3), [1, 2]));
    assertEquals((await readArray(path)).data, new Float32Array([1, 2]));
  });
});

Deno.test("writeNpy() follows a link instead of replacing it", async () => {
  await inFolder(async (folder) => {
    const target = join(folder, "target.npy"), link = join(folder, "link.npy");
    await writeNpy(target, tensor([1], [1, 1]));
    await symlink(target, link);
    await writeNpy(link, tensor([2], [1, 1]));
    assertEquals((await readArray(target)).data, new Float32Array([2]));
    assertEquals((await readArray(link)).data, new Float32Array([2]));
  });
});

const malformed: [what: string, bytes: () => Uint8Array, message: string][] = [
  ["an empty file", () => new Uint8Array(), "not an npy file: it must start with the bytes 93 4e"],
  [
    "another kind of file",
    () => new TextEncoder().encode("PK\x03\x04 zip archive"),
    "current value is 50 4b 03 04",
  ],
  ["a cut magic", () => npy(dictionary()).subarray(0, 5), "not an npy file"],
  ["a cut version", () => npy(dictionary()).subarray(0, 7), "cut off in its header: wanted 10 bytes"],
  ["a cut header length", () => npy(dictionary()).subarray(0, 9), "wanted 10 bytes but the file holds 9"],
  ["a cut header", () => npy(dictionary()).subarray(0, 40), "cut off in its header: wanted"],
  [
    "version 4",
    () => npy(dictionary(), { major: 4 }),
    "version must be 1.0, 2.0 or 3.0: current value is 4.0",
  ],
  ["version 1.1", () => npy(dictionary(), { minor: 1 }), "current value is 1.1"],
  [
    "a header that claims 4 GiB",
    () => npy(dictionary(), { major: 2, length: 0xffffffff }),
    `header must be at most ${LARGEST_HEADER_BYTES} bytes: current value is 4294967295`,
  ],
  ["no dictionary", () => npy("not a dictionary\n"), "header must be a Python dictionary"],
  ["code for a header", () => npy("__import__('os').abort()\n"), "header must be a Python dictionary"],
  ["an unclosed dictionary", () => npy(dictionary().replace("}", " ")), "header must be a Python dictionary"],
  ["text after the dictionary", () => npy(dictionary() + "x"), "header must be a Python dictionary"],
  [
    "a missing key",
    () => npy("{'descr': '<f4', 'shape': (2, 2), }"),
    "'fortran_order': current value is missing",
  ],
  [
    "a shape that is no tuple",
    () => npy(dictionary({ shape: "'2'" })),
    "proper 'shape': current value is '2'",
  ],
  ["a shape without commas", () => npy(dictionary({ shape: "(2 2)" })), "current value is (2 2)"],
  ["an order that is no truth value", () => npy(dictionary({ fortran: "'no'" })), "proper 'fortran_order'"],
  [
    "complex numbers",
    () => npy(dictionary({ descr: "'<c8'" })),
    "f2, f4 or f8, an integer or bool, such as '<f4', '>i8' or '|b1': current value is '<c8'",
  ],
  ["floats of one byte", () => npy(dictionary({ descr: "'|f1'" })), "current value is '|f1'"],
  ["a dtype of 70 kB", () => npy(dictionary({ descr: `'${"x".repeat(60_000)}'` })), `'${"x".repeat(79)}…`],
  ["a truth value of 2", () => {
    const bytes = npy(dictionary({ descr: "'|b1'" }), { data: 4 });
    bytes[bytes.length - 1] = 2;
    return bytes;
  }, "value at [1, 1] must be 0 or 1, being a truth value: current value is 2"],
  ["an integer that f32 has not, in Fortran order", () => {
    const bytes = npy(dictionary({ descr: "'>i4'", fortran: "True" }));
    new DataView(bytes.buffer).setInt32(bytes.length - 12, -(2 ** 24) - 1);
    return bytes;
  }, "value at [1, 0] must be exact as a 32-bit float, being an integer: current value is -16777217"],
  [
    "a 64-bit integer that f32 has not",
    () => {
      const bytes = npy(dictionary({ descr: "'<u8'" }), { data: 32 });
      new DataView(bytes.buffer).setBigUint64(bytes.length - 8, 2n ** 63n + 1n, true);
      return bytes;
    },
    "value at [1, 1] must be exact as a 32-bit float, being an integer: current value is 9223372036854775809",
  ],
  ["objects", () => npy(dictionary({ descr: "'|O'" })), "current value is '|O'"],
  [
    "one dimension",
    () => npy(dictionary({ shape: "(4,)" })),
    "must have 2 to 4 dimensions: current value is 1",
  ],
  ["no dimension", () => npy(dictionary({ shape: "()" })), "current value is 0"],
  ["five dimensions", () => npy(dictionary({ shape: "(1, 1, 1, 2, 2)" })), "current value is 5"],
  [
    "a dimension of 0",
    () => npy(dictionary({ shape: "(2, 0)" })),
    "dimension 1 must be a positive integer: current value is 0",
  ],
  [
    "a dimension of 10^20",
    () => npy(dictionary({ shape: `(2, 1${"0".repeat(20)})` })),
    "dimension 1 must be a positive integer",
  ],
  [
    "too large a product",
    () => npy(dictionary({ shape: "(4294967296, 4294967296)" })),
    "shape must stay below 2^53 bytes",
  ],
  [
    "missing values",
    () => npy(dictionary({ shape: "(4096, 64)" }), { data: 100 }),
    "header says 4096 × 64 values of 4 bytes, 1048576 in all, but the file holds 100 bytes of data",
  ],
  [
    "half a value missing",
    () => npy(dictionary(), { data: 14 }),
    "16 in all, but the file holds 14 bytes of data",
  ],
  ["bytes left over", () => npy(dictionary(), { data: 19 }), "16 in all, but 3 more bytes follow"],
  ["an f64 value above f32", () => {
    const bytes = npy(dictionary({ descr: "'<f8'" }), { data: 32 });
    new DataView(bytes.buffer).setFloat64(bytes.length - 16, -1e300, true);
    return bytes;
  }, "value at [1, 0] must fit a 32-bit float: current value is -1e+300"],
];

for (const [what, bytes, message] of malformed) {
  Deno.test(`readArray() refuses ${what}`, async () => {
    const thrown = await assertRejects(() => readBytes(bytes()), Error, message);
    assertStringIncludes(thrown.message, "q.npy: ");
    assert(thrown instanceof TypeError || thrown instanceof RangeError);
  });
}

/** Reads an .npy file of these bytes. */
async function readBytes(bytes: Uint8Array): Promise<Tensor> {
  let read: Tensor | undefined;
  await inFolder(async (folder) => {
    const path = join(folder, "q.npy");
    await writeFile(path, bytes);
    read = await readArray(path);
  });
  return read!;
}

Deno.test("readArray() refuses what NumPy can write and a tensor cannot hold", async () => {
  const refused: [string, string][] = [
    ["rank_0.npy", "2 to 4 dimensions: current value is 0"],
    ["rank_1.npy", "2 to 4 dimensions: current value is 1"],
    ["rank_5.npy", "2 to 4 dimensions: current value is 5"],
    ["complex64.npy", "current value is '<c8'"],
    ["structured.npy", "current value is [('a', '<f4'), ('b', '<f4')]"],
    ["empty.npy", "dimension 1 must be a positive integer: current value is 0"],
    ["too_large.npy", "value at [1, 0] must fit a 32-bit float: current value is -1e+39"],
  ];
  for (const [name, message] of refused) await assertRejects(() => readArray(fixture(name)), Error, message);
});

Deno.test("readArray() takes headers of other writers: spacing, double quotes, key order, Python 2 longs", async () => {
  const header = `{ "shape" : ( 2L , 2 ) ,\n "fortran_order":False,"descr":"<f4"\t}  \n`;
  assertEquals((await readBytes(npy(header))).shape, [2, 2]);
});

Deno.test("parseNpyHeader() refuses a hostile header of the largest size at once", () => {
  for (const filler of [" ", "]", "(", "1", ","]) {
    const header = dictionary({ shape: `(1${filler.repeat(65000)}x)` });
    const start = performance.now();
    assertThrows(() => parseNpyHeader(npy(header, { major: 2 }), "q.npy"), TypeError);
    assert(performance.now() - start < 500);
  }
});

Deno.test("readArray() says what is wrong with a path", async () => {
  await inFolder(async (folder) => {
    await assertRejects(() => readArray(join(folder, "none.npy")), Error, "none.npy: no such file or folder");
    await assertRejects(
      () => readArray(folder),
      TypeError,
      "must be a file or pipe: current value is a folder",
    );
    await assertRejects(
      () => writeNpy(join(folder, "none", "o.npy"), tensor([1], [1, 1])),
      Error,
      "no such file or folder",
    );
    await assertRejects(() => writeNpy(folder, tensor([1], [1, 1])), Error, "it is a folder");
    assertEquals(await readdir(folder), []);
  });
});
