import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { crc32 } from "../../../files/npy/crc32.ts";
import { formatNpy } from "./write_npy.ts";
import { readArray } from "../../../files/arrays/read.ts";
import { tensor } from "../../../kernels/tensor.ts";

const fixture = (name: string) => fileURLToPath(new URL(`../../fixtures/npy/${name}`, import.meta.url));

/** Reads bytes as the file `a.npz`; gives the array, or the error's message without its folder. */
async function readBytes(
  bytes: Uint8Array,
  entry = "",
): Promise<Awaited<ReturnType<typeof readArray>> | string> {
  const folder = await mkdtemp(join(tmpdir(), "npz-"));
  try {
    await writeFile(join(folder, "a.npz"), bytes);
    return await readArray(join(folder, `a.npz${entry}`));
  } catch (error) {
    assert(error instanceof TypeError || error instanceof RangeError, String(error));
    return error.message.replace(join(folder, ""), "");
  } finally {
    await rm(folder, { recursive: true });
  }
}

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

/** A zip archive of one stored file, whose numbers of the directory can be told wrongly. */
function archive(
  name: string,
  content: Uint8Array,
  {
    method = 0,
    bytes = content.length,
    packed = content.length,
    extra = new Uint8Array() as Uint8Array,
    flags = 0,
  } = {},
): Uint8Array {
  const text = new TextEncoder().encode(name), start = 30 + text.length;
  const directory = start + content.length, directoryBytes = 46 + text.length + extra.length;
  const whole = new Uint8Array(directory + directoryBytes + 22), view = new DataView(whole.buffer);
  view.setUint32(0, 0x04034b50, true);
  view.setUint16(26, text.length, true);
  whole.set(text, 30);
  whole.set(content, start);
  view.setUint32(directory, 0x02014b50, true);
  view.setUint16(directory + 8, flags, true);
  view.setUint16(directory + 10, method, true);
  view.setUint32(directory + 16, crc32(0, content), true);
  view.setUint32(directory + 20, packed, true);
  view.setUint32(directory + 24, bytes, true);
  view.setUint16(directory + 28, text.length, true);
  view.setUint16(directory + 30, extra.length, true);
  whole.set(text, directory + 46);
  whole.set(extra, directory + 46 + text.length);
  const end = directory + directoryBytes;
  view.setUint32(end, 0x06054b50, true);
  view.setUint32(end + 12, directoryBytes, true);
  view.setUint32(end + 16, directory, true);
  return whole;
}

/** The extra field of zip64 with these numbers. */
function large(...numbers: number[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(4 + 8 * numbers.length));
  view.setUint16(0, 1, true);
  view.setUint16(2, 8 * numbers.length, true);
  numbers.forEach((number, at) => view.setBigUint64(4 + 8 * at, BigInt(number), true));
  return new Uint8Array(view.buffer);
}

Deno.test("readArray() reads sizes in the 64 bits of large archives, and believes none that cannot be", async () => {
  const values = tensor([1, 2, 3, 4, 5, 6], [3, 2]), npy = formatNpy(values), over = 0xffffffff;
  assertEquals(await readBytes(archive("a.npy", npy)), values);
  const known = { bytes: over, packed: over, extra: large(npy.length, npy.length) };
  assertEquals(await readBytes(archive("a.npy", npy, known)), values);
  const wrong: [Parameters<typeof archive>[2], string][] = [
    [{ bytes: over, packed: over }, "the archive is damaged"],
    [{ bytes: over, packed: over, extra: large(npy.length) }, "the archive is damaged"],
    [{ bytes: over, extra: large(2 ** 60) }, "the archive is damaged"],
    [{ bytes: 2 ** 31 }, "bytes cannot hold the 2147483648 that it promises"],
    [{ method: 8, bytes: 2 ** 31 }, "bytes cannot hold the 2147483648 that it promises"],
    [{ method: 8 }, "its data cannot be inflated"],
    [{ method: 12 }, "it must be stored or deflated: current value is zip method 12"],
    [{ flags: 1 }, "current value is encryption"],
  ];
  for (const [options, message] of wrong) {
    assertStringIncludes(String(await readBytes(archive("a.npy", npy, options))), message);
  }
  assertStringIncludes(String(await readBytes(archive("a.txt", npy))), "it has none");
});
