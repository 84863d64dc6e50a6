import { assert, assertEquals } from "@std/assert";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { readArray } from "../../../files/arrays/read.ts";
import { inFolder } from "../../commands/array_files.ts";
import { readBytes } from "../read_bytes.ts";
import {
  doubles,
  floatBytes,
  formatSafetensors,
  k,
  longs,
  q,
  type RawTensor,
  values,
  withHeader,
  words,
} from "./format_safetensors.ts";

const read = (bytes: Uint8Array, entry = ":q") => readBytes(bytes, "a.safetensors", entry);

/** Values that every dtype of floats has to the bit, and those bits. */
const VALUES = new Float32Array([-2.5, -0, 0.125, 1, -Infinity, 320]);
const HALF_BITS = [0xc100, 0x8000, 0x3000, 0x3c00, 0xfc00, 0x5d00];
const BRAIN_BITS = [0xc020, 0x8000, 0x3e00, 0x3f80, 0xff80, 0x43a0];

const floats: Readonly<Record<string, Uint8Array>> = {
  F64: doubles([...VALUES]),
  F32: floatBytes(VALUES),
  F16: words(HALF_BITS),
  BF16: words(BRAIN_BITS),
};

for (const [dtype, bytes] of Object.entries(floats)) {
  Deno.test(`readArray() reads ${dtype} tensors of a .safetensors file to the bit`, async () => {
    for (const shape of [[2, 3], [3, 1, 2], [1, 2, 3, 1]]) {
      const file = formatSafetensors({
        before: { dtype: "U8", shape: [3], bytes: new Uint8Array(3) },
        q: { dtype, shape, bytes },
      });
      const found = await read(file);
      assertEquals(found, { data: VALUES, shape });
      assert(typeof found !== "string" && Object.is(found.data[1], -0));
    }
  });
}

Deno.test("readArray() keeps NaN of bfloat16 and rounds f64 once", async () => {
  const brain: RawTensor = { dtype: "BF16", shape: [1, 2], bytes: words([0x7fc0, 0x0001]) };
  assertEquals(await read(formatSafetensors({ q: brain })), {
    data: new Float32Array([NaN, 2 ** -133]),
    shape: [1, 2],
  });
  const double: RawTensor = { dtype: "F64", shape: [1, 2], bytes: doubles([0.1, 1e-50]) };
  assertEquals(await read(formatSafetensors({ q: double })), {
    data: new Float32Array([0.1, 0]),
    shape: [1, 2],
  });
});

Deno.test("readArray() reads integers and truth values of a .safetensors file", async () => {
  const signed: Readonly<Record<string, Uint8Array>> = {
    I8: new Uint8Array(Int8Array.of(-7, 3).buffer),
    I16: new Uint8Array(Int16Array.of(-7, 3).buffer),
    I32: new Uint8Array(Int32Array.of(-7, 3).buffer),
    I64: longs([-7n, 3n]),
  };
  for (const [dtype, bytes] of Object.entries(signed)) {
    assertEquals(await read(formatSafetensors({ q: { dtype, shape: [2, 1], bytes } })), {
      data: new Float32Array([-7, 3]),
      shape: [2, 1],
    });
  }
  const unsigned: Readonly<Record<string, Uint8Array>> = {
    BOOL: Uint8Array.of(1, 0),
    U8: Uint8Array.of(1, 0),
    U16: words([1, 0]),
    U32: new Uint8Array(Uint32Array.of(1, 0).buffer),
    U64: longs([1n, 0n]),
  };
  for (const [dtype, bytes] of Object.entries(unsigned)) {
    const file = formatSafetensors({ m: { dtype, shape: [2], bytes } });
    assertEquals(await readBytes(file, "a.safetensors", ":m", { dimensions: [1, 3] }), {
      data: new Float32Array([1, 0]),
      shape: [2],
    });
  }
});

Deno.test("readArray() finds a tensor by any name, among metadata, scalars and empty tensors", async () => {
  for (const name of ["q", "model.layers.0:q", 'é "q" {', "__proto__", "a.npz"]) {
    const others = {
      scalar: { dtype: "F32", shape: [], bytes: floatBytes([7]) },
      empty: { dtype: "F16", shape: [0, 9], bytes: new Uint8Array() },
      odd: { dtype: "F8_E4M3", shape: [3], bytes: new Uint8Array(3) },
    };
    const file = formatSafetensors(Object.assign(Object.create(null), others, { [name]: q }), {
      format: "pt",
      config: '{"q": [1, {"q": 2}]}',
    });
    assertEquals(await read(file, `:${name}`), values, name);
  }
  const reversed = withHeader(
    '{"k":{"data_offsets":[16,28],"shape":[3,2],"dtype":"F16"},\n "q" : {"dtype":"F32","shape":[2,2],"data_offsets":[0,16],"more":{"dtype":"F64"}}}',
    new Uint8Array([...q.bytes, ...k.bytes]),
  );
  assertEquals(await read(reversed), values);
});

Deno.test("readArray() reads the header of a .safetensors file and the tensor that is wanted, no others", async () => {
  await inFolder(async (folder) => {
    // 64 GB of holes, which a disk need not have.
    const path = join(folder, "a.safetensors"), hole = 2 ** 36, file = await open(path, "w");
    const header = JSON.stringify({
      big: { dtype: "F32", shape: [2 ** 20, 2 ** 14], data_offsets: [0, hole] },
      q: { dtype: "F32", shape: [2, 2], data_offsets: [hole, hole + 16] },
    });
    const start = withHeader(header, new Uint8Array());
    await file.write(start);
    await file.write(q.bytes, 0, 16, start.length + hole);
    await file.close();
    assertEquals(await readArray(`${path}:q`), values);
  });
});
