import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { claims } from "../../proofs_checks/claims/claims.ts";
import { Purpose, RandomStream } from "../../kernels/random.ts";
import { root } from "../child.ts";
import { claimsToTry } from "./claims_to_try.ts";
import { mutantsOf, sampleGenerated } from "./generated/sample.ts";
import { listed } from "./listed.ts";
import { linesOf, mutate } from "./mutant.ts";
import { changeOf, readResults, RESULTS_FILE } from "./results.ts";
import { testsOf } from "./test_mutant.ts";
import { verifyClaim } from "./verify_mutant.ts";
import { Workshop } from "./workshop.ts";

const textOf = (file: string) => readFileSync(join(root, file), "utf8");

Deno.test("every listed mutant can be made once, has an identifier of its own and names claims that there are", () => {
  assertEquals(new Set(listed.map(({ id }) => id)).size, listed.length);
  const names = claims.map(({ name }) => name);
  for (const mutant of listed) {
    // Throws unless what is to be replaced is there once.
    assert(mutate(textOf(mutant.file), mutant) !== textOf(mutant.file));
    assertEquals((mutant.claims ?? []).filter((name) => !names.includes(name)), [], mutant.id);
  }
});

Deno.test("a mutant is refused where its words are missing, stand twice, or stay as they are", () => {
  const mutant = { id: "X01", file: "x.ts", fault: "none", find: "a + b", replace: "a - b" };
  assertEquals(mutate("x = a + b;", mutant), "x = a - b;");
  assertEquals(linesOf("one\ntwo\nx = a + b;", mutant), [3, 3]);
  assertThrows(() => mutate("x = a * b;", mutant), Error, "X01: x.ts has 0 places 'a + b'");
  assertThrows(() => mutate("a + b + a + b", mutant), Error, "2 places");
  assertThrows(() => mutate("a + b", { ...mutant, replace: "a + b" }), Error, "it changes nothing");
});

Deno.test("levels add claims: the likely ones, those that run the line, those that run the file, all", () => {
  const mutant = {
    id: "X01",
    file: "x.ts",
    fault: "",
    find: "  b",
    replace: "  c",
    claims: [claims[3].name],
  };
  const reach = (at: number, lines: number[]) => ({
    claim: claims[at].name,
    milliseconds: 10 - at,
    lines: { "x.ts": lines },
  });
  const reaches = [reach(0, [2]), reach(1, [1, 2]), reach(2, [1]), reach(3, [1]), reach(4, [])];
  const tried = (level: Parameters<typeof claimsToTry>[2]) =>
    claimsToTry(mutant, "a\n  b", level, reaches).map((name) =>
      claims.findIndex((claim) => claim.name === name)
    );
  assertEquals(tried("likely"), [3]);
  // The quickest first.
  assertEquals(tried("line"), [3, 1, 0]);
  assertEquals(tried("file"), [3, 1, 0, 2]);
  assertEquals(tried("all"), [3, 1, 0, 2, 4]);
  // What runs nothing of the file cannot notice, whoever thought so.
  const wrong = { ...mutant, claims: [claims[4].name] };
  assertEquals(claimsToTry(wrong, "a\n  b", "line", reaches).includes(claims[4].name), false);
  // A constant is read by whatever runs its file.
  const constant = { ...mutant, find: "a", replace: "b" };
  assertEquals(claimsToTry(constant, "a\n  b", "line", reaches).length, 4);
});

Deno.test("operators change what runs and nothing else, each mutant by itself", () => {
  const source = `import { a } from "a + b";
/** x - y, if (x) */
const most = Math.max(n - 1, f<T>(x)) / 3; // a < b
interface Old {
  readonly sign: a + b;
}
export function total(heads: number): string {
  if (heads < 2) return "a < b";
  return \`a + b\`.replace(/a + b/, String(data[head * size + 2]));
}
const streams = [Purpose.samples, Purpose.hash];
`;
  const made = mutantsOf("x.ts", source);
  assertEquals(made.map(({ fault }) => fault).sort(), [
    "condition dropped: the condition is never met",
    "divisor dropped: '/ 3' is dropped",
    "head 0: head becomes 0",
    "min for max: max becomes min",
    "off by one: '- 1' is dropped",
    "seed reused: the purpose hash becomes samples",
    "seed reused: the purpose samples becomes hash",
    "sign flipped: + becomes -",
    "sign flipped: - becomes +",
    "strictness: < becomes <=",
    "times for over: * becomes /",
    "times for over: / becomes *",
  ]);
  const texts = made.map((mutant) => mutate(source, mutant));
  assertEquals(new Set(texts).size, made.length);
  for (const text of texts) {
    assert(text.includes("/** x - y, if (x) */") && text.includes("readonly sign: a + b;"));
  }
});

Deno.test("a sample is the same for a seed, another for another, and has each operator", () => {
  const [first, again, other] = [1, 1, 2].map((seed) => sampleGenerated(60, seed));
  assertEquals(first, again);
  assert(first.every(({ id }, at) => id !== other[at].id));
  assert(new Set(first.map(({ fault }) => fault.split(":")[0])).size > 10);
});

Deno.test("tests of a mutated file are those of its name, its importers and its folder", () => {
  const tests = testsOf("estimators/certified/confidence.ts");
  assertEquals(tests[0], "tests/estimators/certified/confidence_test.ts");
  assert(tests.length > 3 && tests.every((path) => path.endsWith("_test.ts")));
});

/** Which of them; those that take few runs, on inputs that do not depend on how many there might have been. */
const SEED = 1, SAMPLED = 3, MOST_RUNS = 20;

Deno.test("three mutants known to be noticed are noticed, and the tree without them is not", async () => {
  const known = readResults(RESULTS_FILE).flatMap(({ id, change, kill, verify = "quick" }) => {
    const mutant = listed.find((one) => one.id === id && changeOf(one) === change);
    if (!mutant || mutant.file.includes("/assembly/") || kill?.by !== "claim") return [];
    const { name, family = "", runs = MOST_RUNS } = kill;
    return runs < MOST_RUNS && family !== "adversarial-search"
      ? [{ mutant, name, family, runs, verify }]
      : [];
  });
  assert(known.length >= 10, `${known.length} mutants to choose from`);
  const workshop = new Workshop();
  try {
    for (const at of new RandomStream(SEED, Purpose.search).distinct(SAMPLED, known.length)) {
      const { mutant, name, family, runs, verify } = known[at];
      const further = ["--family", family, "--runs", String(Math.max(1, runs))];
      workshop.restore();
      assertEquals(
        await verifyClaim(workshop.folder, name, verify, further),
        undefined,
        `${name} without a fault`,
      );
      assertEquals(await workshop.make(mutant), undefined);
      const kill = await verifyClaim(workshop.folder, name, verify, further);
      assertEquals(kill && [kill.by, kill.name, kill.family], ["claim", name, family], mutant.id);
    }
    // Two in one tree, and the next in a tree without them.
    const [first, second] = listed.filter(({ file }) => file === "estimators/kde/uniform.ts");
    assertEquals(await workshop.make(first, second), undefined);
    const both = readFileSync(join(workshop.folder, first.file), "utf8");
    assertStringIncludes(both, first.replace);
    assertStringIncludes(both, second.replace);
    // A program that does not come to a verdict is noticed too, as what it is.
    const crash = {
      id: "X01",
      file: "cli.ts",
      fault: "",
      find: "if (import.meta.main) {",
      replace: "throw new Error();\n{",
    };
    await workshop.make(crash);
    assertEquals((await verifyClaim(workshop.folder, "gray-order", "quick"))?.by, "crash");
  } finally {
    workshop.close();
  }
});
