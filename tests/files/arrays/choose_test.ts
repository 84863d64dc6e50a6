import { assertEquals, assertThrows } from "@std/assert";
import { chooseArray } from "../../../files/arrays/choose.ts";
import { archivePath } from "../../../files/arrays/path.ts";

const usual = ["q", "query"];

Deno.test("chooseArray() takes the array that is named, the one that is called as usual, or the only one", () => {
  assertEquals(chooseArray(["a", "q"], "a.npz", { name: "a", usual }), "a");
  assertEquals(chooseArray(["a", "Q", "k"], "a.npz", { usual }), "Q");
  assertEquals(chooseArray(["key", "Query", "q_proj"], "a.npz", { usual }), "Query");
  assertEquals(chooseArray(["arr_0"], "a.npz", { usual }), "arr_0");
  assertEquals(chooseArray(["arr_0"], "a.npz", {}), "arr_0");
});

Deno.test("chooseArray() guesses nothing, and says what there is", () => {
  const many = Array.from({ length: 30 }, (_, at) => `w${at}`);
  const cases: [names: string[], choice: Parameters<typeof chooseArray>[2], message: string][] = [
    [["a"], { name: "q" }, "Cannot read a.npz:q: there is no such array in it: it has a"],
    [["Q"], { name: "q", usual }, "a.npz:q: there is no such array in it: it has Q"],
    [["q", "a", "q"], { name: "q" }, "a.npz:q: there are 2 arrays of this name in it: it has q, a, q"],
    [["q", "k", "Query"], { usual }, "as in a.npz:NAME, since 2 are called q or query: it has q, Query"],
    [
      ["a", "b"],
      { usual },
      "one of its 2 arrays must be named, as in a.npz:NAME, since none is called q or query: it has a, b",
    ],
    [["a", "b"], {}, "one of its 2 arrays must be named, as in a.npz:NAME: it has a, b"],
    [["a"], { usual, strict: true }, "since none is called q or query: it has a"],
    [[], {}, "one of its 0 arrays must be named, as in a.npz:NAME: it has none"],
    [many, { name: "q" }, ", w19, …"],
  ];
  for (const [names, choice, message] of cases) {
    assertThrows(() => chooseArray(names, "a.npz", choice), TypeError, message);
  }
});

Deno.test("archivePath() splits a file from the name of an array", () => {
  const cases: Record<string, [archive: string, format: string, name: string | undefined]> = {
    "a.npz": ["a.npz", "npz", undefined],
    "a/b.NPZ:c": ["a/b.NPZ", "npz", "c"],
    "model.safetensors:layers.0:q.npz": ["model.safetensors", "safetensors", "layers.0:q.npz"],
    "C:\\a.safetensors": ["C:\\a.safetensors", "safetensors", undefined],
    "a.npz.safetensors:x": ["a.npz.safetensors", "safetensors", "x"],
  };
  for (const [path, [archive, format, name]] of Object.entries(cases)) {
    assertEquals(archivePath(path), { archive, format, name } as ReturnType<typeof archivePath>, path);
  }
  for (const path of ["-", "a.npy", "a.npz/q.npy", "a.npz:", ".npz", "npz", "a.safetensors.npy"]) {
    assertEquals(archivePath(path), undefined, path);
  }
});
