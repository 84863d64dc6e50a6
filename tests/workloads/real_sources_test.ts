import { assert, assertEquals } from "@std/assert";
import { realNames, realSources } from "../../workloads/real_sources.ts";
import { loadWorkload } from "../../workloads/workloads.ts";
import { cli } from "../child.ts";

Deno.test("realSources() gives the sources among the names, and loads nothing yet", () => {
  const names = realSources(["gaussian", ...realNames], () => {}).map(({ name }) => name);
  assertEquals(names, ["glove", "sentence-encoder", "ocr-heads"]);
});

Deno.test("The source ocr-heads gives consecutive rows of one of sixteen heads, the same for a seed", async () => {
  const [source] = realSources(["ocr-heads"], () => {});
  const layers = await Promise.all(["1.all", "2.all"].map((head) => loadWorkload("ocr", { n: 2048, head })));
  /** Head and row of a row of values. */
  const places = new Map<string, string>();
  layers.forEach(({ value: { data } }, layer) => {
    for (let at = 0; at < data.length; at += 15) {
      places.set(
        String(data.subarray(at, at + 15)),
        `${layer + 1}.${Math.floor(at / 15 / 2048)} ${at / 15 % 2048}`,
      );
    }
  });
  const chosen = new Set<string>();
  for (let seed = 1; seed <= 60; seed++) {
    const { query, key, value, scale } = await source.open(1, 60).next({ n: 20, seed });
    assertEquals([query.shape, key.shape, value.shape], Array(3).fill([1, 20, 15]));
    assertEquals(scale, 1 / Math.sqrt(15));
    const [first, last] = [0, 19].map((row) =>
      places.get(String(value.data.subarray(row * 15, (row + 1) * 15)))!.split(" ")
    );
    assertEquals([last[0], Number(last[1])], [first[0], (Number(first[1]) + 19) % 2048]);
    chosen.add(first[0]);
  }
  assert(chosen.size > 12 && chosen.size <= 16, [...chosen].join(" "));
  const again = await Promise.all([7, 7].map((seed) => source.open(1, 1).next({ n: 5, seed })));
  assertEquals(again[0], again[1]);
});

Deno.test("cli verify checks claims on the OCR heads, and its help names them", async () => {
  const { code, stdout } = await cli("verify", "--claim", "product-bound", "--family", "ocr-heads");
  assertEquals(code, 0, stdout);
  assert(/✓ holds +product-bound +ocr-heads/.test(stdout), stdout);
  assert((await cli("verify", "--help")).stdout.replace(/\s+/g, " ").includes("sentence-encoder, ocr-heads"));
});
