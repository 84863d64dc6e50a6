import { assert, assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Purpose, purposeOfRound, PurposeRange } from "../../kernels/purposes.ts";
import { RandomStream } from "../../kernels/random.ts";
import { root } from "../child.ts";

/** Folders of what is shipped, and of the benchmarks. */
const FOLDERS = ["kernels", "estimators", "proofs_checks", "commands", "workloads", "bench"];

Deno.test("purposes of random numbers are distinct words, and ranges of them do not overlap", () => {
  const spans = [
    ...Object.values(Purpose).map((first) => ({ first, end: first + 1 })),
    ...Object.values(PurposeRange).map(({ first, count }) => ({ first, end: first + count })),
  ].sort((a, b) => a.first - b.first);
  spans.forEach(({ first, end }, at) => {
    assert(Number.isInteger(first) && first >= (at > 0 ? spans[at - 1].end : 1), String(first));
    assert(end > first && end <= 2 ** 32, String(end));
  });
});

Deno.test("rounds draw from streams of their own, and there is none beyond the last", () => {
  const { first, count } = PurposeRange.certificateRows;
  assertEquals(purposeOfRound("certificateRows", 0), first);
  assertEquals(purposeOfRound("certificateRows", count - 1), first + count - 1);
  assertThrows(
    () => purposeOfRound("certificateRows", count),
    RangeError,
    "round must be an integer from 0 to",
  );
  const words = [0, 1].map((round) => new RandomStream(3, purposeOfRound("certificateRows", round)).word());
  assertNotEquals(words[0], words[1]);
});

/** Arguments of the calls that `opening` begins. */
function* callsIn(source: string, opening: string): Generator<string[]> {
  for (let at = source.indexOf(opening); at >= 0; at = source.indexOf(opening, at + 1)) {
    const args = [""];
    let depth = 1;
    for (let next = at + opening.length; depth > 0 && next < source.length; next++) {
      const letter = source[next];
      if ("([{".includes(letter)) depth++;
      if (")]}".includes(letter)) depth--;
      if (letter === "," && depth === 1) args.push("");
      else if (depth > 0) args[args.length - 1] += letter;
    }
    yield args.map((argument) => argument.trim());
  }
}

Deno.test("nobody deals out the number of a purpose by hand", () => {
  const byHand: string[] = [];
  let calls = 0;
  for (const folder of FOLDERS) {
    const files = readdirSync(join(root, folder), { recursive: true, encoding: "utf8" });
    for (const file of files.filter((name) => name.endsWith(".ts") && !/assembly|generated/.test(name))) {
      const source = readFileSync(join(root, folder, file), "utf8");
      for (const opening of ["new RandomStream(", " randomWord("]) {
        for (const [, purpose = ""] of callsIn(source, opening)) {
          calls++;
          if (!/^(Purpose\.\w+|purposeOfRound\(.*\)|purpose(: Purpose)?)$/s.test(purpose)) {
            byHand.push(`${folder}/${file}: ${purpose}`);
          }
        }
      }
      for (const [, purpose] of source.matchAll(/\bpurpose: ([^,\n}]+)/g)) {
        calls++;
        if (!/^(Purpose(\.\w+)?[;)]?|u32;?)/.test(purpose)) byHand.push(`${folder}/${file}: ${purpose}`);
      }
    }
  }
  assert(calls > 30, String(calls));
  assertEquals(byHand, []);
});
