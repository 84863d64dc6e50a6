import { assert, assertEquals, assertLess, assertLessOrEqual, assertRejects } from "@std/assert";
import { gramImages, rowsOf } from "../../../estimators/linear_algebra/gram_images.ts";
import { squaredLength } from "../../../estimators/linear_algebra/lower_operator_norm.ts";
import { symmetricEigenpairs } from "../../../estimators/linear_algebra/symmetric_eigenpairs.ts";
import { largestEntries } from "../../../estimators/spectrum/largest_entries.ts";
import { SoftmaxProducts } from "../../../estimators/spectrum/softmax_products.ts";
import { softmaxSpectrum } from "../../../estimators/spectrum/softmax_spectrum.ts";
import { openDevice, runJob } from "../../../kernels/device.ts";
import { tensor } from "../../../kernels/tensor.ts";
import { families } from "../../../proofs_checks/inputs/families.ts";
import { Oracle } from "../../../proofs_checks/measures/oracle.ts";
import { clopperPearson } from "../../../proofs_checks/statistics/binomial.ts";
import { normals } from "../../data.ts";
import { onEachDevice } from "../../devices.ts";

const family = (name: string) => families.find((own) => own.name === name)!;

/** All singular values of the explicit matrix. */
function singularValues({ softmax, problem: { queries, keys } }: Oracle): Float64Array {
  const units = Array.from({ length: keys }, (_, at) => new Float64Array(keys).fill(1, at, at + 1));
  const gram = new Float64Array(keys * keys);
  gramImages(rowsOf(softmax, queries, keys), units).forEach((image, at) => gram.set(image, at * keys));
  return symmetricEigenpairs(gram, keys).values.map((value) => Math.sqrt(Math.max(0, value)));
}

onEachDevice("softmaxSpectrum() by exact products is that of the explicit matrix", async (device) => {
  for (const name of ["gaussian", "clustered", "sink-key", "shape-more-queries", "common-key-offset"]) {
    const input = family(name).generate({ n: 80, seed: 2, valueFeatures: 1 }), oracle = new Oracle(input);
    const truth = singularValues(oracle), { query, key, scale } = input;
    const [found] = await softmaxSpectrum(query, key, { scale, device, leading: 6 });
    // Singular values of neighbours of a multiple one are told by their residuals.
    found.singularValues.forEach((value, at) => {
      assertLess(value, truth[at] + 1e-4 * truth[0], name);
      assertLess(
        Math.min(...truth.map((own) => Math.abs(own - value))),
        found.residuals[at] + 1e-4 * truth[0],
      );
    });
    assertLess(Math.abs(found.norm.lower / truth[0] - 1), 1e-4, name);
    assertLess(found.norm.upper / truth[0], 1 + 1e-3 + 1e-4, name);
    assertLess(truth[0] / found.norm.upper, 1 + 1e-4, name);
    const trace = squaredLength(oracle.softmax);
    assertLess(Math.abs(found.squaredFrobenius.estimate / trace - 1), 1e-4, name);
    assertLess(Math.abs(found.stableRank.lower / (trace / truth[0] ** 2) - 1), 3e-3, name);
  }
});

onEachDevice(
  "products with P and its transpose are those of the explicit matrix, head by head",
  async (device) => {
    const heads = [1, 2].map((seed) =>
      new Oracle(family("gaussian").generate({ n: 30, queries: 20, seed, features: 8 }))
    );
    const [first] = heads,
      join = (of: (own: Oracle) => Float32Array) => {
        const parts = heads.map(of), whole = new Float32Array(2 * parts[0].length);
        parts.forEach((part, at) => whole.set(part, at * part.length));
        return whole;
      };
    const problem = {
      ...first.problem,
      heads: 2,
      query: join((own) => own.problem.query),
      key: join((own) => own.problem.key),
    };
    const x = [normals(3, 60), normals(4, 60)], y = [normals(5, 40), normals(6, 40), normals(7, 40)];
    const [images, turned, squares] = await runJob(device, async (backend) => {
      const products = new SoftmaxProducts(backend, problem);
      const found = [await products.forward(x), await products.backward(y), [
        await products.squaredFrobenius(),
      ]];
      assertEquals(products.keyEvaluations, 3 * 2 * 20 * 30);
      return found;
    });
    heads.forEach(({ softmax }, head) => {
      x.forEach((vector, at) => {
        for (let i = 0; i < 20; i++) {
          let sum = 0;
          for (let j = 0; j < 30; j++) sum += softmax[i * 30 + j] * vector[head * 30 + j];
          assertLess(Math.abs(images[at][head * 20 + i] - sum), 1e-5);
        }
      });
      y.forEach((vector, at) => {
        for (let j = 0; j < 30; j++) {
          let sum = 0;
          for (let i = 0; i < 20; i++) sum += softmax[i * 30 + j] * vector[head * 20 + i];
          assertLess(Math.abs(turned[at][head * 30 + j] - sum), 1e-5);
        }
      });
      assertLess(Math.abs(squares[0][head] / squaredLength(softmax) - 1), 1e-5);
    });
  },
);

Deno.test("softmaxSpectrum() gives every query head a spectrum, those that share keys too", async () => {
  const query = tensor(normals(1, 4 * 20 * 8, 2), [4, 20, 8]),
    key = tensor(normals(2, 2 * 24 * 8), [2, 24, 8]);
  const device = "reference" as const, spectra = await softmaxSpectrum(query, key, { device });
  assertEquals(spectra.length, 4);
  for (const [head, { norm }] of spectra.entries()) {
    const own = tensor(query.data.slice(head * 160, (head + 1) * 160), [20, 8]), at = head >> 1;
    const shared = tensor(key.data.slice(at * 192, (at + 1) * 192), [24, 8]);
    const [alone] = await softmaxSpectrum(own, shared, { device });
    assertLess(Math.abs(alone.norm.lower / norm.lower - 1), 1e-6);
  }
});

Deno.test("bounds from sampled rows are false no more often than delta says, and closer from more rows", async () => {
  using device = await openDevice({ prefer: "wasm" });
  const runs = 40, delta = 0.2;
  for (const name of ["gaussian", "clustered", "cluster-imbalance"]) {
    let failures = 0;
    const widths = [0, 0];
    for (let seed = 0; seed < runs; seed++) {
      const input = family(name).generate({ n: 240, seed, valueFeatures: 1 }), oracle = new Oracle(input);
      const truth = oracle.softmaxNorm, trace = squaredLength(oracle.softmax), { query, key, scale } = input;
      for (const [at, rows] of [40, 160].entries()) {
        const asked = { method: "sampled", rows, delta, scale, seed, device } as const;
        const [{ norm, squaredFrobenius: squares, keyEvaluations, stableRank }] = await softmaxSpectrum(
          query,
          key,
          asked,
        );
        assertEquals(keyEvaluations, rows * 240);
        const holds = norm.lower <= truth * 1.0001 && truth <= norm.upper * 1.0001 &&
          squares.lower <= trace * 1.0001 &&
          trace <= squares.upper * 1.0001;
        if (rows === 40 && !holds) failures++;
        widths[at] += Math.log(squares.upper / squares.lower);
        assert(norm.lower <= norm.estimate && norm.estimate <= norm.upper);
        assert(stableRank.lower <= stableRank.estimate && stableRank.estimate <= stableRank.upper);
      }
    }
    assertLessOrEqual(clopperPearson(failures, runs, 0.99).lower, delta, name);
    assertLess(widths[1], widths[0] * 0.7, name);
  }
});

Deno.test("as many rows as there are give exact products", async () => {
  const { query, key, scale } = family("gaussian").generate({ n: 40, seed: 1 }), device = "reference";
  const exact = await softmaxSpectrum(query, key, { scale, device });
  assertEquals(await softmaxSpectrum(query, key, { scale, device, method: "sampled", rows: 40 }), exact);
});

Deno.test("no entry of a row is larger than lengths let it be", () => {
  for (const name of ["gaussian", "bounded-norms", "common-key-offset", "duplicated-keys"]) {
    const { softmax, problem } = new Oracle(family(name).generate({ n: 60, seed: 4, features: 6 }));
    const { queries, keys } = problem, most = new Float64Array(queries);
    softmax.forEach((x, at) => most[Math.floor(at / keys)] = Math.max(most[Math.floor(at / keys)], x));
    const { total, largest } = largestEntries(problem, new Uint32Array(0));
    assertLessOrEqual(Math.max(...most), largest * (1 + 1e-12), name);
    assertLessOrEqual(most.reduce((a, b) => a + b), total * (1 + 1e-12), name);
    // Of one query alone it is that query's own.
    const others = Uint32Array.from({ length: queries - 1 }, (_, at) => at + 1);
    assertLessOrEqual(most[0], largestEntries(problem, others).largest * (1 + 1e-12), name);
  }
});

Deno.test("softmaxSpectrum() names what is wrong", async () => {
  const rows = tensor(normals(1, 12), [6, 2]),
    wide = tensor(normals(1, 12), [4, 3]),
    device = "reference" as const;
  await assertRejects(
    () => softmaxSpectrum(rows, wide, { device }),
    TypeError,
    "key has 3 features but query has 2",
  );
  await assertRejects(
    () => softmaxSpectrum(rows, rows, { device, leading: 0 }),
    RangeError,
    "leading must be an integer from 1 to 32",
  );
  await assertRejects(
    () => softmaxSpectrum(rows, rows, { device, rows: 3 }),
    RangeError,
    "rows must be an integer from 4",
  );
  const asked = { device, metod: "exact" };
  await assertRejects(
    () => softmaxSpectrum(rows, rows, asked),
    TypeError,
    'unknown option "metod": did you mean method?',
  );
  const reason = new Error("enough");
  await assertRejects(
    () => softmaxSpectrum(rows, rows, { device, signal: AbortSignal.abort(reason) }),
    Error,
    "enough",
  );
});
