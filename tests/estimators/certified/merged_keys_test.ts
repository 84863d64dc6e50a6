import { assert, assertEquals, assertLessOrEqual, assertStringIncludes } from "@std/assert";
import { describeCertificate } from "../../../commands/attend_report.ts";
import { cellsOfRows, meansOfCells } from "../../../estimators/certified/key_cells.ts";
import { attention, type AttentionOptions, type Tensor, tensor } from "../../../mod.ts";
import { normals } from "../../data.ts";
import { onEachDevice } from "../../devices.ts";
import { float64Heads, headErrors } from "./float64_heads.ts";

const queries = 90, keys = 240, features = 12, columns = 5, keyHeads = 2, group = 2;

/** Two key heads whose keys are copies of 7 and of 20 originals, but for `noise` in each number; values are their own. */
function copies(noise = 0, offset = 0): [query: Tensor, key: Tensor, value: Tensor] {
  const originals = normals(3, 2 * 20 * features), moved = normals(4, keyHeads * keys * features);
  const key = moved.map((x, at) => {
    const row = Math.floor(at / features), head = Math.floor(row / keys), j = row % keys;
    // The first original has half of the keys.
    const original = head * 20 + (j % 2 === 0 ? 0 : Math.floor(j / 2) % (head === 0 ? 7 : 20));
    return offset + originals[original * features + at % features] + noise * x;
  });
  return [
    tensor(normals(5, keyHeads * group * queries * features).map((x) => x + offset), [
      keyHeads * group,
      queries,
      features,
    ]),
    tensor(key, [keyHeads, keys, features]),
    tensor(normals(6, keyHeads * keys * columns), [keyHeads, keys, columns]),
  ];
}

const mask = Array.from({ length: keys }, (_, j) => j % 3 > 0);

for (
  const { words, noise = 0, offset = 0, epsilon, options = {} } of [
    { words: "copies, at an epsilon that no rows show", epsilon: 1e-3 },
    { words: "keys all but equal", noise: 1e-4, epsilon: 0.02 },
    { words: "a mask", epsilon: 2e-3, options: { keyMask: mask } },
    { words: "copies far from 0", offset: 30, epsilon: 0.1 },
  ] as readonly {
    readonly words: string;
    readonly noise?: number;
    readonly offset?: number;
    readonly epsilon: number;
    readonly options?: AttentionOptions;
  }[]
) {
  onEachDevice(`cells of keys are certified without a row: ${words}`, async (device) => {
    const tensors = copies(noise, offset), method = "tilted-tree";
    const { output, certificate, stats } = await attention(...tensors, {
      ...options,
      device,
      method,
      epsilon,
    });
    assert(certificate !== null && certificate.kind === "bound", `${stats.fellBack}`);
    const { rowsChecked, delta, checkSeed, guaranteed, operatorNormBound, target } = certificate;
    assertEquals([rowsChecked, delta, checkSeed, guaranteed], [0, 0, null, true]);
    assertEquals([stats.method, stats.bucketSize, stats.samples], ["tilted-tree", 0, 20]);
    assertLessOrEqual(operatorNormBound, target);
    assertLessOrEqual(stats.keyEvaluations, keyHeads * group * queries * keys / 4);
    const heads = float64Heads(...tensors, options), errors = headErrors(output.data, heads, columns);
    errors.forEach((error, at) => {
      assertLessOrEqual(error, operatorNormBound);
      assertLessOrEqual(error, epsilon * heads[at].product);
    });
    assertStringIncludes(describeCertificate(certificate), "for certain");
  });
}

Deno.test("cells answer for auto as well, and for no method that is asked for by name", async () => {
  const tensors = copies(), options = { device: "wasm", epsilon: 0.01 } as const;
  const auto = await attention(...tensors, options);
  assertEquals([auto.stats.method, auto.certificate?.rowsChecked], ["tilted-tree", 0]);
  const routed = await attention(...tensors, { ...options, method: "routed" });
  assertEquals([routed.stats.method, routed.certificate?.kind], ["exact", "exact"]);
});

Deno.test("keys that a query tells apart are not merged, nor keys in causal order", async () => {
  const options = { device: "wasm", epsilon: 0.01, method: "tilted-tree" } as const;
  const apart = await attention(...copies(0.1), options);
  assertEquals(apart.certificate?.kind, "exact");
  const ordered = await attention(...copies(), { ...options, causal: true });
  assertEquals(ordered.certificate?.kind, "exact");
});

Deno.test("values that are all zero need no cells that are told apart", async () => {
  const [query, key, { data, shape }] = copies(1);
  const zero = tensor(data.map(() => 0), shape);
  const { output, certificate } = await attention(query, key, zero, { device: "wasm", epsilon: 0.1 });
  assertEquals([certificate?.operatorNormBound, certificate?.rowsChecked], [0, 0]);
  assert(output.data.every((x) => x === 0));
});

Deno.test("every row lies within reach of another of its cell, and clusters far apart are its cells", () => {
  const width = 6,
    clusters = 9,
    count = 300,
    centres = normals(8, clusters * width),
    noise = normals(9, count * width);
  const rows = noise.map((x, at) =>
    20 * centres[Math.floor(at / width) % clusters * width + at % width] + 0.01 * x
  );
  const picks = Uint32Array.from({ length: count / 2 }, (_, at) => 2 * at + at % 2), reach = 0.15;
  const found = cellsOfRows(rows, width, picks, reach, clusters)!;
  assertEquals(found.count, clusters);
  picks.forEach((row, at) =>
    picks.forEach((other, beside) =>
      assertEquals(row % clusters === other % clusters, found.cells[at] === found.cells[beside])
    )
  );
  const { means, radius, moved, sizes } = meansOfCells(rows, width, picks, found);
  assertEquals(sizes.reduce((a, b) => a + b), picks.length);
  assertLessOrEqual(radius, 2 * reach);
  assertLessOrEqual(moved, 1e-5);
  picks.forEach((row, at) => {
    let squared = 0;
    for (let c = 0; c < width; c++) {
      squared += (rows[row * width + c] - means[found.cells[at] * width + c]) ** 2;
    }
    assertLessOrEqual(Math.sqrt(squared), radius);
  });
  assertEquals(cellsOfRows(rows, width, picks, reach, clusters - 1), undefined);
  assertEquals(cellsOfRows(rows, width, picks, 0, count)?.count, picks.length);
});

onEachDevice(
  "the bound covers that weights of cells are rounded, where nothing else errs",
  async (device) => {
    // Sizes of two cells whose logarithms f32 rounds far apart.
    let worst = { off: 0, sizes: [1, 1] };
    const rounded = (size: number) => Math.fround(Math.log(size)) - Math.log(size);
    for (let one = 150; one < 250; one++) {
      for (let other = 150; other < one; other++) {
        const off = Math.abs(rounded(one) - rounded(other));
        if (off > worst.off) worst = { off, sizes: [one, other] };
      }
    }
    const [one, other] = worst.sizes, total = one + other, rows = 40, logit = 2 ** -5;
    const key = tensor(Float32Array.from({ length: total }, (_, j) => j < one ? 1 : -1), [total, 1]);
    const query = tensor(new Float32Array(rows).fill(logit), [rows, 1]);
    const options = { device, epsilon: 0.01, method: "tilted-tree", scale: 1 } as const;
    const { output, certificate, stats } = await attention(query, key, key, options);
    assert(certificate !== null);
    assertEquals([certificate.kind, certificate.rowsChecked, stats.samples], ["bound", 0, 2]);
    const right = one * Math.exp(logit), left = other * Math.exp(-logit);
    const error = Math.hypot(...Array.from(output.data, (x) => x - (right - left) / (right + left)));
    assertLessOrEqual(error, certificate.operatorNormBound);
  },
);
