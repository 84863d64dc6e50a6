import { assert, assertEquals } from "@std/assert";
import { formatName, formatValue } from "../../kernels/format_value.ts";

// deno-lint-ignore no-control-regex
const COMMANDS = /[\0-\x1f\x7f-\x9f\u202e\u2066]/;

Deno.test("formatValue() shows any value in a line that no terminal obeys", () => {
  const trap = new Proxy({}, {
    getPrototypeOf: () => {
      throw new Error("no");
    },
  });
  const values: [unknown, string][] = [
    ["a\x1b[2J\n", '"a\\u001b[2J\\n"'],
    ["\x9b31m\x7f\u202eb", '"\\x9b31m\\x7f\\u202eb"'],
    [-0.5, "-0.5"],
    [12n, "12n"],
    [undefined, "undefined"],
    [Symbol("\x1b"), "a symbol"],
    [[1, 2], "an array of length 2"],
    [Object.create(null), "an object"],
    [new Map(), "a Map"],
    [trap, "an object"],
  ];
  for (const [value, shown] of values) assertEquals(formatValue(value), shown);
});

Deno.test("formatValue() cuts long texts, whatever their characters", () => {
  for (const character of ["x", "\x9b", "\u2066", "\x1b", '"']) {
    for (const length of [57, 58, 59, 60, 61, 1e6]) {
      const shown = formatValue(character.repeat(length));
      assert(!COMMANDS.test(shown) && shown.length < 500, shown);
      if (length > 60) assert(shown.endsWith("…"), shown);
    }
  }
  assertEquals(formatValue("x".repeat(58)), `"${"x".repeat(58)}"`);
});

Deno.test("formatName() leaves words bare and nothing else", () => {
  assertEquals(["exact", "1.all", "a b", "\x9b", ""].map(formatName), [
    "exact",
    "1.all",
    '"a b"',
    '"\\x9b"',
    '""',
  ]);
});
