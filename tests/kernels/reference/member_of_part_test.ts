import { assert, assertEquals, assertLess } from "@std/assert";
import { memberOfPart, membersOfParts } from "../../../kernels/reference/member_of_part.ts";

Deno.test("membersOfParts() takes one of each part, and all where each is a part", () => {
  for (const [count, most] of [[1, 1], [5, 9], [90, 90], [100, 7], [4097, 256], [2 ** 20, 96]]) {
    const every = Math.ceil(count / most), members = membersOfParts(count, most);
    assertEquals(members.length, Math.ceil(count / every));
    members.forEach((member, at) => {
      assert(member < count);
      assertEquals(Math.floor(member / every), at);
      assertEquals(member, memberOfPart(at, every, count));
    });
  }
});

Deno.test("membersOfParts() meets each place of a period about as often, whatever a part has", () => {
  for (let every = 1; every <= 48; every++) {
    const members = membersOfParts(256 * every, 256);
    for (let period = 2; period <= 12; period++) {
      const met = new Uint32Array(period);
      members.forEach((member) => met[member % period]++);
      // Were members drawn by chance, six standard deviations; at even distances one place may have all 256.
      const fair = 256 / period, allowed = 6 * Math.sqrt(fair);
      for (const times of met) assertLess(Math.abs(times - fair), allowed, `${every}, ${period}: ${met}`);
    }
  }
});
