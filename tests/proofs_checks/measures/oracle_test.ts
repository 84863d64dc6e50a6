/** mathjs as an independent oracle of spectral norms at small n, and fast-check for shapes, scales and seeds. */
import { assert, assertLess, assertRejects } from "@std/assert";
import { bignumber, eigs } from "npm:mathjs@15";
import fc from "npm:fast-check@4";
import { operatorNorm } from "../../../estimators/linear_algebra/operator_norm.ts";
import { openDevice, runJob } from "../../../kernels/device.ts";
import { floats } from "../../../kernels/reference/array.ts";
import { ReferenceBackend } from "../../../kernels/reference/backend.ts";
import { claims } from "../../../proofs_checks/claims/claims.ts";
import { familySource } from "../../../proofs_checks/engine/cases.ts";
import { shipped } from "../../../proofs_checks/engine/implementation.ts";
import { runCase } from "../../../proofs_checks/engine/run_case.ts";
import { families } from "../../../proofs_checks/inputs/families.ts";
import { largestSingularValue } from "../../../proofs_checks/measures/largest_singular_value.ts";
import { Oracle } from "../../../proofs_checks/measures/oracle.ts";
import { NORM_TOLERANCE, softmaxOperatorNorm } from "../../../proofs_checks/measures/softmax_norm.ts";
import { replaceKernels } from "../mutants/kernels.ts";

/** Largest singular value as mathjs finds it: root of the largest eigenvalue of the Gram matrix. */
function byMathjs(given: ArrayLike<number>, rows: number, columns: number): number {
  // Its eigenvalues are exact to an absolute error: entries are brought to 1 first.
  const largest = Math.max(...Array.from(given, Math.abs)),
    values = Array.from(given, (x) => x / (largest || 1));
  const gram = Array.from({ length: columns }, (_, a) =>
    Array.from({ length: columns }, (_, b) => {
      let sum = 0;
      for (let i = 0; i < rows; i++) sum += values[i * columns + a] * values[i * columns + b];
      return sum;
    }));
  const { values: found } = eigs(gram, { eigenvectors: false }) as unknown as { values: number[] };
  return largest * Math.sqrt(Math.max(0, ...found.map(Number)));
}

/** Families that ask for sizes of their own. */
const SPECIAL = ["needle", "permutation-softmax", "hard-instance"];
const replayable = (seed: number) => ({ seed, numRuns: 40 });

Deno.test("largestSingularValue() and the oracle's norms agree with mathjs on every family", () => {
  for (
    const family of families.filter(({ name }) => !SPECIAL.includes(name))
  ) {
    const oracle = new Oracle(family.generate({ n: 12, seed: 3, valueFeatures: 5 }));
    const { softmax, problem: { queries, keys, value, valueFeatures } } = oracle;
    const softmaxNorm = byMathjs(softmax, queries, keys), valueNorm = byMathjs(value, keys, valueFeatures);
    assertLess(Math.abs(oracle.softmaxNorm / softmaxNorm - 1), 1e-5, family.name);
    assertLess(Math.abs(oracle.valueNorm / valueNorm - 1), 1e-6, family.name);
  }
});

Deno.test("rows of the oracle's softmax are right to 14 digits by 64-digit arithmetic", () => {
  const input = families[0].generate({ n: 9, seed: 2, features: 3, valueFeatures: 1 }),
    oracle = new Oracle(input);
  for (let i = 0; i < 9; i++) {
    const exact = Array.from({ length: 9 }, (_, j) => {
      let logit = bignumber(0);
      for (let t = 0; t < 3; t++) {
        logit = logit.plus(
          bignumber(input.query.data[i * 3 + t]).times(bignumber(input.key.data[j * 3 + t])),
        );
      }
      return logit.times(bignumber(input.scale)).exp();
    });
    const total = exact.reduce((sum, x) => sum.plus(x));
    exact.forEach((x, j) => {
      assertLess(Math.abs(oracle.softmax[i * 9 + j] / x.dividedBy(total).toNumber() - 1), 1e-13);
    });
  }
});

Deno.test("largestSingularValue() is within √rank of the Frobenius norm and agrees with mathjs, for any matrix", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 9 }),
      fc.integer({ min: 1, max: 9 }),
      fc.integer({ min: -12, max: 12 }),
      fc.array(fc.integer({ min: -9, max: 9 }), { minLength: 81, maxLength: 81 }),
      (rows, columns, exponent, entries) => {
        const matrix = entries.slice(0, rows * columns).map((x) => x * 10 ** exponent);
        const norm = largestSingularValue(matrix, rows, columns);
        const frobenius = Math.hypot(...matrix);
        assert(norm <= frobenius * (1 + 1e-9));
        assert(
          norm >= frobenius / Math.sqrt(Math.min(rows, columns)) * (1 - 1e-3),
          `${norm} of ${frobenius}`,
        );
        if (frobenius > 0) assertLess(Math.abs(norm / byMathjs(matrix, rows, columns) - 1), 2e-3);
      },
    ),
    replayable(1),
  );
});

Deno.test("the softmax norm by kernels is that of the explicit matrix, for any shape and logit scale", async () => {
  using device = await openDevice({ prefer: "wasm" });
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom("gaussian", "clustered", "heavy-tailed", "low-rank", "sink-key", "equal-queries"),
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: 1, max: 40 }),
      fc.double({ min: 0.01, max: 20, noNaN: true }),
      fc.nat(1e6),
      async (name, n, queries, factor, seed) => {
        const input = families.find((family) => family.name === name)!.generate({
          n,
          queries,
          seed,
          features: 8,
        });
        const oracle = new Oracle({ ...input, scale: input.scale * factor });
        const [norm] = await runJob(device, (backend) => softmaxOperatorNorm(backend, oracle.problem));
        assertLess(Math.abs(norm / oracle.softmaxNorm - 1), 0.01);
      },
    ),
    replayable(2),
  );
});

Deno.test("the softmax norm by kernels is at most the true one, and within its tolerance, where singular values lie close", async () => {
  using device = await openDevice({ prefer: "wasm" });
  for (
    const [name, n] of [["shape-more-keys", 72], ["hard-instance", 60], ["huge-logits", 50], [
      "clustered",
      88,
    ]] as const
  ) {
    for (const seed of [101, 102, 103, 104]) {
      const input = families.find((family) => family.name === name)!.generate({ n, seed, valueFeatures: 1 });
      const { softmax, problem } = new Oracle(input);
      const right = operatorNorm(softmax, problem.queries, problem.keys);
      const [norm] = await runJob(device, (backend) => softmaxOperatorNorm(backend, problem));
      assertLess(norm / right, 1 + 1e-5, `${name}, seed ${seed}`);
      assertLess(right / norm, 1 + NORM_TOLERANCE + 1e-5, `${name}, seed ${seed}`);
    }
  }
});

Deno.test("the softmax norm by kernels that give no numbers is an error, not a number", async () => {
  const { problem } = new Oracle(families[0].generate({ n: 6, seed: 4, valueFeatures: 1 }));
  const backend = replaceKernels((sound) => ({
    attend: (args) => ({ ...sound.attend(args), output: floats(new Float64Array(args.queries).fill(NaN)) }),
  }))(new ReferenceBackend());
  await assertRejects(
    () => softmaxOperatorNorm(backend, problem),
    Error,
    "Cannot measure the softmax norm: that of head 0 lies between NaN and NaN after 1 rounds",
  );
});

Deno.test("claims without chance hold for any shape, seed and family; a failure prints the command that replays it", async () => {
  using device = await openDevice({ prefer: "wasm" });
  const sure = claims.filter(({ rule, anySource }) => rule.kind === "always" && anySource);
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...sure.map(({ name }) => name)),
      fc.constantFrom(...families.map(({ name }) => name).filter((name) => !SPECIAL.includes(name))),
      fc.integer({ min: 1, max: 70 }),
      fc.nat(1e6),
      async (claimName, familyName, n, seed) => {
        const claim = sure.find(({ name }) => name === claimName)!;
        const family = families.find(({ name }) => name === familyName)!;
        const source = familySource(family), options = { device, implementation: shipped, stopAt: 1e-12 };
        const { violations, broken, note } = await runCase(claim, { source, expected: "holds" }, {
          ...options,
          seed,
          n,
          runs: 2,
        });
        assert(
          broken ? broken.verdict === "not-applicable" : violations === 0,
          `deno run -A cli.ts verify --claim ${claim.name} --family ${family.name} --seed ${seed} --runs 2 --n ${n}: ${note}`,
        );
      },
    ),
    { ...replayable(3), numRuns: 60 },
  );
});
