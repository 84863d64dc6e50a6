import { assert, assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { makeProblem } from "../../estimators/core/problem.ts";
import { families, type InputFamily, inputFamily } from "../../proofs_checks/inputs/families.ts";
import type { Tensor } from "../../kernels/tensor.ts";

/** A hash of a tensor's bits: comparing millions of values by assertEquals would print them. */
function digest({ data }: Tensor): number {
  return new Uint32Array(data.buffer, data.byteOffset, data.length)
    .reduce((hash, word) => Math.imul(hash ^ word, 0x01000193) >>> 0, 0x811c9dc5);
}

const digestOf = (family: InputFamily, options: Parameters<InputFamily["generate"]>[0]) => {
  const { query, key, value, scale } = family.generate(options);
  return [digest(query), digest(key), digest(value), scale].join();
};

Deno.test("inputFamily() finds each family by its name, and no other", () => {
  for (const family of families) assertEquals(inputFamily(family.name), family);
  assertEquals(new Set(families.map(({ name }) => name)).size, families.length);
  assertThrows(() => inputFamily("noise"), RangeError, "name must be one of gaussian, clustered,");
});

for (const family of families) {
  Deno.test(`${family.name} says in one sentence what it is and what the guarantee says of it`, () => {
    assert(/^[A-Z0-9][^.]*(\.\d[^.]*)*\.$/.test(family.description), family.description);
    assert(/guarantee|certificate|result/.test(family.description), family.description);
  });

  Deno.test(`${family.name} makes problems that attention accepts, from one key on`, () => {
    for (const n of [1, 2, 3, 7, 64, 129, 700]) {
      const { query, key, value, scale } = family.generate({ n, seed: n });
      for (const { shape } of [query, key, value]) assertEquals([shape.length, shape[0]], [3, 1]);
      const { largestValue } = makeProblem(query, key, value, { scale });
      assert(Number.isFinite(largestValue));
    }
  });

  Deno.test(`${family.name} is the same for the same seed and draw only`, () => {
    const options = { n: 100, seed: 5, draw: 2 };
    assertEquals(digestOf(family, options), digestOf(family, options));
    assertNotEquals(digestOf(family, options), digestOf(family, { ...options, seed: 6 }));
    assertNotEquals(digestOf(family, options), digestOf(family, { ...options, draw: 3 }));
    assertNotEquals(digestOf(family, options), digestOf(family, { ...options, seed: 5 + 2 ** 32 }));
  });

  Deno.test(`${family.name} refuses options that make no sense`, () => {
    const refused: [options: Record<string, number>, rule: string][] = [
      [{ n: 0 }, "n must be a positive integer: current value is 0"],
      [{ n: 8.5 }, "n must be a positive integer: current value is 8.5"],
      [{ seed: -1 }, "seed must be an integer from 0 to 2^53 − 1: current value is -1"],
      [{ draw: 0.5 }, "draw must be an integer from 0 to 2^29 − 1: current value is 0.5"],
    ];
    for (const [options, rule] of refused) {
      const error = assertThrows(() => family.generate({ n: 8, seed: 0, ...options }), RangeError, rule);
      assert(error.message.startsWith(`Cannot generate ${family.name}: `), error.message);
    }
  });

  if (family.name.startsWith("shape-")) continue;

  Deno.test(`${family.name} takes any number of queries and features`, () => {
    const { query, key, value } = family.generate({
      n: 60,
      queries: 35,
      features: 48,
      valueFeatures: 5,
      seed: 1,
    });
    assertEquals(query.shape, [1, 35, 48]);
    assertEquals(key.shape.slice(2), [48]);
    assertEquals(value.shape, [1, key.shape[1], 5]);
    const more = family.generate({ n: 20, queries: 45, seed: 1 });
    assertEquals(more.query.shape, [1, 45, 64]);
  });
}

const shapes: Record<string, [query: number[], key: number[], value: number[]]> = {
  "shape-indivisible": [[1, 89, 64], [1, 97, 64], [1, 97, 64]],
  "shape-more-queries": [[1, 100, 64], [1, 25, 64], [1, 25, 64]],
  "shape-more-keys": [[1, 25, 64], [1, 100, 64], [1, 100, 64]],
  "shape-few-keys": [[1, 100, 64], [1, 5, 64], [1, 5, 64]],
  "shape-one-key": [[1, 100, 64], [1, 1, 64], [1, 1, 64]],
  "shape-one-query": [[1, 1, 64], [1, 100, 64], [1, 100, 64]],
  "shape-one-feature": [[1, 100, 1], [1, 100, 1], [1, 100, 1]],
  "shape-odd-features": [[1, 100, 15], [1, 100, 15], [1, 100, 15]],
  "shape-wide-values": [[1, 100, 64], [1, 100, 64], [1, 100, 100]],
  "shape-narrow-values": [[1, 100, 64], [1, 100, 64], [1, 100, 1]],
};

Deno.test("every shape family has the shape of its name", () => {
  const made = families.filter(({ name }) => name.startsWith("shape-")).map((family) => {
    const { query, key, value } = family.generate({ n: 100, seed: 1 });
    return [family.name, [query.shape, key.shape, value.shape]];
  });
  assertEquals(Object.fromEntries(made), shapes);
});

const refused: [name: string, options: Record<string, number>, rule: string][] = [
  [
    "permutation-softmax",
    { n: 1000, features: 16 },
    "features must be at least 4.5 ln n, 32: current value is 16",
  ],
  ["needle", { n: 1000, features: 8 }, "features must be at least 2 ln(9n) + 1, 20: current value is 8"],
  ["low-rank", { features: 3 }, "features must be at least the rank 4: current value is 3"],
  ["low-rank", { rank: 0 }, "rank must be a positive integer: current value is 0"],
  [
    "hard-instance",
    { features: 8 },
    "features must allow distances that 100 random vectors keep: current value is 8",
  ],
  ["lognormal-logits", { sigma: -1 }, "sigma must be a positive number: current value is -1"],
  ["huge-logits", { largest: 1e30 }, "largest must be between 0 and 1e20: current value is 1e+30"],
  ["duplicated-keys", { copies: 0 }, "copies must be a positive integer: current value is 0"],
  ["common-key-offset", { offset: 9000 }, "offset must be from 0 to 8000: current value is 9000"],
  ["norm-versus-angle", { features: 1 }, "features must be at least 2: current value is 1"],
  ["hidden-directions", { features: 1 }, "features must be at least 2: current value is 1"],
  [
    "seed-aware",
    { projections: 64 },
    "projections must be an integer from 1 to 63, less than features: current value is 64",
  ],
  [
    "near-hyperplane",
    { features: 1 },
    "projections must be an integer from 1 to 0, less than features: current value is 0",
  ],
];

for (const [name, options, rule] of refused) {
  Deno.test(`${name} refuses ${JSON.stringify(options)}`, () => {
    const error = assertThrows(
      () => inputFamily(name).generate({ n: 100, seed: 0, ...options }),
      RangeError,
      rule,
    );
    assert(error.message.startsWith(`Cannot generate ${name}: `), error.message);
  });
}
