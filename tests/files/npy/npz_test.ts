import { assert, assertEquals, assertLess, assertRejects, assertStringIncludes } from "@std/assert";
import { readFile } from "node:fs/promises";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { readBytes as readFileOf } from "../read_bytes.ts";
import { deflated, type Entry, formatZip } from "./format_zip.ts";
import { formatNpy } from "./write_npy.ts";
import { readArray } from "../../../files/arrays/read.ts";
import { tensor } from "../../../kernels/tensor.ts";

const fixture = (name: string) => fileURLToPath(new URL(`../../fixtures/npy/${name}`, import.meta.url));

const readBytes = (bytes: Uint8Array, entry = "") => readFileOf(bytes, "a.npz", entry);

for (const archive of ["three.npz", "three_compressed.npz"]) {
  Deno.test(`readArray() reads each array of ${archive}, as NumPy wrote it`, async () => {
    assertEquals(await readArray(`${fixture(archive)}:q`), {
      data: new Float32Array([-2.5, -0, 0.125, 1, 2 ** -24, 65504]),
      shape: [2, 3],
    });
    assertEquals(await readArray(`${fixture(archive)}:deep/k.npy`), {
      data: Float32Array.from({ length: 12 }, (_, at) => at - 3),
      shape: [3, 4],
    });
    assertEquals([...(await readArray(`${fixture(archive)}:mask`, { dimensions: [1, 3] })).data], [
      0,
      0,
      1,
      1,
    ]);
  });
}

Deno.test("readArray() takes the only array of an archive without its name", async () => {
  assertEquals(await readArray(fixture("one.npz")), { data: new Float32Array(64 * 512), shape: [64, 512] });
});

Deno.test("readArray() says which arrays an archive has", async () => {
  await assertRejects(() => readArray(fixture("three.npz")), TypeError, "one of its 3 arrays must be named");
  await assertRejects(
    () => readArray(`${fixture("three.npz")}:v`),
    TypeError,
    "three.npz:v: there is no such array in it: it has q, deep/k, mask",
  );
  await assertRejects(
    () => readArray(`${fixture("three.npz")}:mask`),
    TypeError,
    "three.npz:mask: array must have 2 to 4 dimensions: current value is 1",
  );
});

Deno.test("readArray() refuses an archive that is damaged anywhere, or reads the same", async () => {
  const whole = new Uint8Array(await readFile(fixture("three_compressed.npz"))),
    right = await readBytes(whole, ":q");
  // The array's own bytes: behind a header of 30 bytes, its name and its extra field. The last has bits that mean nothing.
  const start = 30 + whole[26] + whole[28];
  for (let at = 0; at < whole.length; at += 3) {
    const bytes = whole.slice();
    bytes[at] ^= 0x55;
    const found = await readBytes(bytes, ":q");
    if (typeof found === "string") {
      assertStringIncludes(found, "Cannot read ");
    } else {
      assertEquals(found, right, `byte ${at}`);
      assert(at < start || at >= start + 89, `byte ${at} of the array`);
    }
  }
});

Deno.test("readArray() refuses an archive that is cut off anywhere", async () => {
  const whole = new Uint8Array(await readFile(fixture("three.npz")));
  for (let end = 0; end < whole.length; end += 7) {
    assertEquals(typeof await readBytes(whole.subarray(0, end), ":q"), "string", `${end} bytes`);
  }
  assertStringIncludes(String(await readBytes(new Uint8Array(100))), "it must be a zip archive");
});

/** The extra field of zip64 with these numbers. */
function large(...numbers: number[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(4 + 8 * numbers.length));
  view.setUint16(0, 1, true);
  view.setUint16(2, 8 * numbers.length, true);
  numbers.forEach((number, at) => view.setBigUint64(4 + 8 * at, BigInt(number), true));
  return new Uint8Array(view.buffer);
}

const values = tensor([1, 2, 3, 4, 5, 6], [3, 2]), npy = formatNpy(values);
const stored = (name: string, told: Partial<Entry> = {}): Entry => ({ name, packed: npy, ...told });

Deno.test("readArray() reads sizes in the 64 bits of large archives, and believes none that cannot be", async () => {
  const over = 0xffffffff, known = { bytes: over, packedBytes: over, extra: large(npy.length, npy.length) };
  for (const isLarge of [false, true]) {
    for (const told of [{}, known]) {
      assertEquals(await readBytes(formatZip([stored("a.npy", told)], isLarge)), values);
    }
  }
  const wrong: [Partial<Entry>, string][] = [
    [{ bytes: over, packedBytes: over }, "the archive is damaged"],
    [{ bytes: over, packedBytes: over, extra: large(npy.length) }, "the archive is damaged"],
    [{ bytes: over, extra: large(2 ** 60) }, "the archive is damaged"],
    [{ bytes: 2 ** 31 }, "bytes cannot hold the 2147483648 that it promises"],
    [{ method: 8, bytes: 2 ** 31 }, "bytes cannot hold the 2147483648 that it promises"],
    [{ method: 8, packed: npy.slice().fill(0xff) }, "its data cannot be inflated"],
    [{ method: 12 }, "it must be stored or deflated: current value is zip method 12"],
    [{ flags: 1 }, "current value is encryption"],
    [{ checksum: 1 }, "its data does not have the checksum that it promises"],
  ];
  for (const [told, message] of wrong) {
    assertStringIncludes(String(await readBytes(formatZip([stored("a.npy", told)]))), message);
  }
  assertStringIncludes(String(await readBytes(formatZip([stored("a.txt")]))), "it has none");
});

Deno.test("readArray() reads an array of an archive of which another cannot be read", async () => {
  const archive = formatZip([stored("broken.npy", { method: 12, flags: 1 }), stored("a.npy")]);
  assertEquals(await readBytes(archive, ":a"), values);
  // Nor need the other one's own header be there.
  archive[0] ^= 0xff;
  assertEquals(await readBytes(archive, ":a"), values);
  assertStringIncludes(
    String(await readBytes(archive, ":broken")),
    "a.npz:broken: it must be stored or deflated",
  );
});

Deno.test("readArray() refuses a name that two arrays of an archive have", async () => {
  const archive = formatZip([stored("q.npy"), stored("q.npy"), stored("k.npy")]);
  const message = "a.npz:q: there are 2 arrays of this name in it: it has q, q, k";
  assertStringIncludes(String(await readBytes(archive, ":q")), message);
  assertEquals(await readBytes(archive, ":k"), values);
});

Deno.test("readArray() reads big-endian half floats with batch and heads from a deflated array", async () => {
  const header = "{'descr': '>f2', 'fortran_order': False, 'shape': (2, 1, 3, 1), }\n";
  const bytes = new Uint8Array(10 + header.length + 12), view = new DataView(bytes.buffer);
  bytes.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, header.length, 0]);
  bytes.set(new TextEncoder().encode(header), 10);
  [0x3c00, 0xc100, 0x8000, 0x0001, 0x7bff, 0x3555].forEach((bits, at) =>
    view.setUint16(10 + header.length + 2 * at, bits)
  );
  assertEquals(await readBytes(formatZip([await deflated("half.npy", [bytes])]), ":half"), {
    data: new Float32Array([1, -2.5, -0, 2 ** -24, 65504, 1365 / 4096]),
    shape: [2, 1, 3, 1],
  });
});

Deno.test("readArray() inflates no more of an array than its header and the directory promise", async () => {
  const zeros = new Uint8Array(1 << 20), MEGABYTES = 128;
  function* bomb() {
    yield npy;
    for (let count = 0; count < MEGABYTES; count++) yield zeros;
  }
  const entry = await deflated("a.npy", bomb()), before = process.resourceUsage().maxRSS;
  const cases: [told: Partial<Entry>, message: string][] = [
    [{ bytes: npy.length }, "24 in all, but 1 more bytes follow"],
    [{}, `24 in all, but ${MEGABYTES << 20} more bytes follow`],
    [{ bytes: npy.length - 1 }, "24 in all, but the file holds 23 bytes of data"],
  ];
  for (const [told, message] of cases) {
    assertStringIncludes(String(await readBytes(formatZip([{ ...entry, ...told }]))), message);
  }
  assertLess(process.resourceUsage().maxRSS - before, (MEGABYTES << 10) / 2, "kilobytes");
});
