import { assertEquals, assertRejects } from "@std/assert";
import { fileURLToPath } from "node:url";
import { readArray } from "../../../files/arrays/read.ts";

const fixture = (name: string) => fileURLToPath(new URL(`../../fixtures/npy/${name}`, import.meta.url));
/** What `make.py` stores as integers. */
const NUMBERS = Float32Array.from({ length: 12 }, (_, at) => at - 3);
const TRUTHS = NUMBERS.map((value) => value % 3 === 0 ? 1 : 0);

const integers = ["i", "u"].flatMap((kind) =>
  [8, 16, 32, 64].flatMap((bits) =>
    bits === 8 ? [`${kind}8_little`] : [`${kind}${bits}_little`, `${kind}${bits}_big`]
  )
);

for (const name of integers) {
  Deno.test(`readArray() reads ${name} as NumPy wrote it`, async () => {
    const data = name.startsWith("u") ? NUMBERS.map(Math.abs) : NUMBERS;
    assertEquals(await readArray(fixture(`${name}.npy`)), { data, shape: [3, 4] });
  });
}

Deno.test("readArray() reads truth values as 0 and 1", async () => {
  assertEquals(await readArray(fixture("bool.npy")), { data: TRUTHS, shape: [3, 4] });
});

Deno.test("readArray() brings Fortran order into C order, whatever the dtype", async () => {
  assertEquals(await readArray(fixture("fortran_3.npy")), {
    data: Float32Array.from({ length: 24 }, (_, at) => at),
    shape: [2, 3, 4],
  });
  assertEquals(await readArray(fixture("fortran_bool.npy")), { data: TRUTHS, shape: [3, 4] });
});

Deno.test("readArray() takes large integers that a 32-bit float has", async () => {
  const { data } = await readArray(fixture("exact_int64.npy"));
  assertEquals([...data], [2 ** 24, -(2 ** 62), 2 ** 24 + 2, 7]);
});

Deno.test("readArray() reads as many dimensions as it is told to", async () => {
  assertEquals(await readArray(fixture("rank_1.npy"), { dimensions: [1, 3] }), {
    data: new Float32Array([0, 1, 2]),
    shape: [3],
  });
  await assertRejects(
    () => readArray(fixture("rank_4.npy"), { dimensions: [1, 3] }),
    TypeError,
    "must have 1 to 3 dimensions: current value is 4",
  );
});
