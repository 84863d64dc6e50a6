import { assertEquals, assertThrows } from "@std/assert";
import { checkOptionNames, nearestName } from "../../kernels/check_options.ts";

const known = ["bandwidth", "epsilon", "seed"];
const attempt = (options: unknown) => () => checkOptionNames("estimate", options, known);

Deno.test("checkOptionNames() takes what is known, and no options at all", () => {
  attempt({})();
  attempt({ seed: 1, bandwidth: undefined })();
});

Deno.test("checkOptionNames() names the option, and the one that was meant", () => {
  assertThrows(
    attempt({ seed: 1, bandwith: 2 }),
    TypeError,
    'Cannot estimate: unknown option "bandwith": did you mean bandwidth?',
  );
  assertThrows(attempt({ Epsilon: 0.1 }), TypeError, "did you mean epsilon?");
  assertThrows(attempt({ kernel: "box" }), TypeError, "there are bandwidth, epsilon, seed");
  // Names of what every object inherits are no options.
  assertThrows(attempt({ toString: 1 }), TypeError, 'unknown option "toString"');
  assertThrows(attempt({ ["x".repeat(1e5)]: 1 }), TypeError, `unknown option "${"x".repeat(50)}`);
});

Deno.test("checkOptionNames() refuses what holds no options", () => {
  for (
    const [options, found] of [[null, "null"], [3, "3"], ["seed", '"seed"'], [[], "an array of length 0"]]
  ) {
    assertThrows(attempt(options), TypeError, `current value is ${found}`);
  }
});

Deno.test("nearestName() finds slips, not guesses", () => {
  assertEquals(nearestName("sede", known), "seed");
  assertEquals(nearestName("temperature", known), undefined);
  assertEquals(nearestName("anything", []), undefined);
});

Deno.test("nearestName() prefers a slip in a long name to the short name within it", () => {
  const names = ["band", "band-limited", "seed"];
  assertEquals(nearestName("band-limted", names), "band-limited");
  assertEquals(nearestName("bandOfTheFilter", names), "band");
});
