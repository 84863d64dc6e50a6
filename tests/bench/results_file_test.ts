import { assert, assertEquals, assertThrows } from "@std/assert";
import { firstGoodEnough } from "../../bench/first_good_enough.ts";
import { sideBySide } from "../../bench/layers/inputs.ts";
import { markdownTable, medianAndRange } from "../../bench/markdown.ts";
import { readRequests } from "../../bench/results.ts";
import { readBlocks, writeResults } from "../../bench/results_file.ts";

const ORDER = ["peers", "long", "memory"];

Deno.test("writeResults() replaces one section and keeps the others where they belong", () => {
  const blocks = new Map([
    ["memory", { machine: "A", body: "## Memory\n\nold" }],
    ["long 65536", { machine: "A", body: "## Long\n\nlongest" }],
    ["long", { machine: "A", body: "## Long\n\nlong" }],
    ["gone", { machine: "A", body: "## Gone" }],
  ]);
  const text = writeResults("A", blocks, ORDER), read = readBlocks(text);
  assertEquals([...read.keys()], ["long", "long 65536", "memory"]);
  read.set("memory", { machine: "A", body: "## Memory\n\nnew" });
  const again = writeResults("A", read, ORDER);
  assertEquals(again, text.replace("\nold", "\nnew"));
});

Deno.test("writeResults() says of a section that it was measured on another machine, as long as it was", () => {
  const old = { machine: "A, 2 cores", body: "## Memory\n\nold" };
  const mixed = writeResults("B", new Map([["memory", old]]), ORDER);
  assert(mixed.includes("Measured on B."));
  assert(mixed.includes("old\n\nMeasured on A, 2 cores."));
  assertEquals(readBlocks(mixed).get("memory"), old);
  assertEquals(readBlocks(mixed.replace("A, 2 cores.\n", "A, 2\ncores.\n")).get("memory"), old);
});

Deno.test("readRequests() takes the numbers behind a name as its parameters", () => {
  const read = (line: string) =>
    readRequests(line.split(" ")).map(({ section, parameters }) => [section.name, ...parameters]);
  assertEquals(read("long 4096 65536 memory"), [["long", "4096", "65536"], ["memory"]]);
  assertEquals(readRequests([]), []);
  assertThrows(() => read("lnog"), RangeError, "Cannot measure lnog");
  assertThrows(() => read("4096 long"), RangeError, "Cannot measure 4096");
  assertThrows(() => read("long -1"), RangeError, "Cannot measure -1");
});

Deno.test("firstGoodEnough() stops at the first that suffices, and else takes the best", async () => {
  const asked: number[] = [];
  const errors = (setting: number) => {
    asked.push(setting);
    return Promise.resolve([1 / setting, 2 / setting, 3 / setting]);
  };
  assertEquals((await firstGoodEnough([1, 2, 4, 8], 0.5, errors)).setting, 4);
  assertEquals(asked, [1, 2, 4]);
  const { setting, reached } = await firstGoodEnough([1, 4, 2], 0.1, errors);
  assertEquals([setting, reached], [4, false]);
});

Deno.test("markdownTable() and medianAndRange() write what people read", () => {
  assertEquals(markdownTable(["a", "b"], [["1", "2"]]), "| a | b |\n| --- | --- |\n| 1 | 2 |");
  assertEquals(medianAndRange([30, 10, 20]), "20 (10–30)");
  assertEquals(medianAndRange([]), "–");
  assertEquals(medianAndRange([0.00012345, 123456]), "62000 (1.2e-4–120000)");
});

Deno.test("sideBySide() joins the rows of several heads", () => {
  const parts = [[1, 2, 3, 4], [5, 6, 7, 8]].map((values) => Float32Array.from(values));
  assertEquals([...sideBySide(parts, 2)], [1, 2, 5, 6, 3, 4, 7, 8]);
});
