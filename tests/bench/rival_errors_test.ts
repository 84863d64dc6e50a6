import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertGreater,
  assertLessOrEqual,
  assertRejects,
} from "@std/assert";
import { requireRecorded } from "../../bench/errors/inputs.ts";
import { BUDGETS } from "../../bench/errors/measure.ts";
import { budgetOf } from "../../bench/errors/rival_tables.ts";
import {
  bestWithin,
  costInMultiplyAdds,
  type Figure,
  figureOf,
  figuresOf,
  recordedOfficial,
  settings,
  wholeCost,
} from "../../bench/errors/rivals.ts";
import peers from "../../bench/peer_errors.json" with { type: "json" };
import rivals from "../../bench/rival_errors.json" with { type: "json" };
import { loadWorkload } from "../../workloads/workloads.ts";

const inputs = Object.keys(rivals.inputs);

Deno.test("rivals: each figure is of a known input and implementation, and is a number that makes sense", () => {
  const used = new Set<string>();
  for (const { implementation, variant, options, size, runs } of settings) {
    const where = `${implementation} ${variant ?? ""} ${size ?? ""}`;
    assert(implementation in rivals.implementations, where);
    used.add(implementation);
    assertGreater(options.length, 0, where);
    assertGreater(Object.keys(runs).length, 0, where);
    for (const [input, [evaluations, rows, products, error, least, most, seeds]] of Object.entries(runs)) {
      assert(inputs.includes(input), `${where}: ${input}`);
      assertGreater(evaluations, 0, where);
      // Either all preparation is counted or none.
      assertEquals(rows === null, products === null, where);
      assert((rows ?? 0) >= 0 && (products ?? 0) >= 0, where);
      assert(0 < least && least <= error && error <= most && Number.isFinite(most), `${where}: ${input}`);
      assert(Number.isInteger(seeds) && seeds > 0, where);
    }
  }
  assertEquals([...used].sort(), Object.keys(rivals.implementations).sort());
});

Deno.test("rivals: each setting is recorded once", () => {
  const names = settings.map(({ implementation, variant, options, size }) =>
    [implementation, variant, options, size].join("|")
  );
  assertEquals(new Set(names).size, names.length);
});

Deno.test("rivals: the published code was run at each budget on each input, on those of both files alike", () => {
  for (const input of [...inputs, ...Object.keys(peers.inputs)]) {
    for (const budget of BUDGETS) {
      assertGreater(recordedOfficial(input, budget) ?? 0, 0, `${input}, ${budget}`);
    }
  }
  const both = inputs.filter((input) => input in peers.inputs);
  assertGreater(both.length, 3);
  for (const input of both) {
    for (const budget of BUDGETS) {
      const twice = figuresOf(input).filter(({ implementation, size }) =>
        implementation === "kdeformer" && size === budget
      );
      assertEquals(twice.length, 2);
      // Other seeds of the same code: medians of five and eleven.
      assertAlmostEquals(Math.log(twice[0].error / twice[1].error), 0, Math.log(1.5));
    }
  }
});

Deno.test("rivals: who looks at all keys to find the heaviest is never said to fit a budget", () => {
  for (const implementation of ["oracle_top_k", "oracle_priority", "vattention"]) {
    const own = settings.filter((setting) => setting.implementation === implementation);
    assertGreater(own.length, 0);
    for (const setting of own) {
      for (const input of Object.keys(setting.runs)) {
        assertEquals(wholeCost(figureOf(setting, input)!), undefined);
      }
    }
  }
});

Deno.test("wholeCost() counts exact rows and products, in multiply-adds a product alone by its share", () => {
  const muse = settings.find(({ implementation, variant }) =>
    implementation === "muse" && variant?.includes("32 key and 16 query")
  )!;
  // 32 key clusters; 16 exact rows; k-means of 1,024 rows in four rounds and one assignment of 4,096, of 48 centres.
  const figure = figureOf(muse, "ocr n=4096 2.3")!;
  assertEquals(wholeCost(figure), 32 + 16 + 48 * (4 * 1024 + 4096) / 4096);
  assertEquals(costInMultiplyAdds(figure, { features: 15, valueFeatures: 45 }), 32 + 16 + 96 / 4);
});

Deno.test("bestWithin() takes the least error among what fits and answers this problem", () => {
  const figure = (error: number, evaluations: number, rest: Partial<Figure> = {}): Figure => ({
    implementation: String(error),
    variant: "",
    evaluations,
    preparation: { rows: 5, products: 5 },
    error,
    otherTarget: false,
    ...rest,
  });
  const figures = [
    figure(0.4, 10),
    figure(0.3, 90),
    figure(0.2, 91),
    figure(0.1, 10, { preparation: undefined }),
    figure(0.05, 10, { otherTarget: true }),
  ];
  assertEquals(bestWithin(figures, wholeCost, 100).error, 0.3);
  assertEquals(bestWithin(figures, wholeCost, 101).error, 0.2);
});

Deno.test("rivals: tables have each setting whose answer takes no more than the largest budget", () => {
  for (const setting of settings) {
    const budget = budgetOf(setting), largest = Math.max(...BUDGETS);
    const answer = setting.size ??
      Math.max(...Object.values(setting.runs).map(([evaluations]) => evaluations));
    assertEquals(budget === undefined, answer > largest);
    if (budget !== undefined) assertLessOrEqual(answer, budget);
  }
});

Deno.test("requireRecorded() knows the inputs that figures were recorded on, to the bit", async () => {
  const input = { ...await loadWorkload("glove", { n: 4096 }), name: "glove n=4096" };
  await requireRecorded(input);
  input.key.data[17] += 1e-3;
  await assertRejects(() => requireRecorded(input), Error, "key is not what was recorded");
});
