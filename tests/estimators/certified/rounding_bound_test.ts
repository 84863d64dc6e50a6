import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import { centre } from "../../../estimators/core/centred.ts";
import { exactAttention } from "../../../estimators/core/exact.ts";
import { makeProblem, type ProblemOptions } from "../../../estimators/core/problem.ts";
import { roundingOfRow } from "../../../estimators/certified/exact_certificate.ts";
import { roundingBounds } from "../../../estimators/certified/rounding_bound.ts";
import { valueGeometry } from "../../../estimators/certified/value_geometry.ts";
import type { Backend } from "../../../kernels/backend.ts";
import { type Tensor, tensor } from "../../../kernels/tensor.ts";
import { onEachBackend } from "../../backends.ts";
import { normals } from "../../data.ts";
import { float64Heads } from "./float64_heads.ts";

const queries = 70, keys = 190, features = 20, columns = 9;

interface Input {
  readonly name: string;
  readonly query: Float32Array;
  readonly key: Float32Array;
  readonly value: Float32Array;
  readonly options?: ProblemOptions;
}

function input(name: string, changes: Partial<Input> = {}): Input {
  const query = normals(1, queries * features), key = normals(2, keys * features);
  return { name, query, key, value: normals(3, keys * columns), ...changes };
}

const moved = (seed: number, count: number, offset: number) =>
  normals(seed, count * features).map((x, at) => x + offset * Math.cos(at % features));
const inputs: readonly Input[] = [
  input("gaussian"),
  input("large logits", { query: normals(1, queries * features, 7), key: normals(2, keys * features, 7) }),
  input("logits of 1e5", { options: { scale: 2e4 } }),
  input("logits of 1e9", { options: { scale: 2e8 } }),
  input("tiny scale", { options: { scale: 1e-20 } }),
  ...[25, 2500].map((offset) =>
    input(`offset ${offset}`, { query: moved(1, queries, offset), key: moved(2, keys, -offset) })
  ),
  input("offset 250, causal", {
    query: moved(1, queries, 250),
    key: moved(2, keys, 250),
    options: { causal: true },
  }),
  input("masked", {
    key: normals(2, keys * features).map((x, at) => at < 40 * features ? 1e15 * x : x),
    value: normals(3, keys * columns).map((x, at) => at < 40 * columns ? 1e20 * x : x),
    options: { keyMask: Array.from({ length: keys }, (_, j) => j >= 40) },
  }),
  input("ties", { key: new Float32Array(keys * features).fill(0.7) }),
  input("ascending logits", {
    query: new Float32Array(queries * features).fill(1),
    key: Float32Array.from({ length: keys * features }, (_, at) => Math.floor(at / features) / 40),
  }),
  input("sink", { key: normals(2, keys * features).map((x, at) => at < features ? 20 * x : x) }),
  input("one huge value", { value: normals(3, keys * columns).map((x, at) => at < columns ? 3e6 * x : x) }),
  input("values far from 0", { value: normals(3, keys * columns).map((x) => x + 900) }),
  input("values of 1e-38", { value: normals(3, keys * columns, 1e-38) }),
  input("values of 1e25", { value: normals(3, keys * columns, 1e25) }),
];

/** Errors of the rows of exact attention, and what they are bounded by. */
async function errorsAndBounds(
  backend: Backend,
  tensors: readonly [Tensor, Tensor, Tensor],
  options?: ProblemOptions,
  halved = false,
): Promise<{ error: number; bound: number }[]> {
  const made = makeProblem(...tensors, options);
  const problem = centre(backend, halved ? { ...made, halves: made } : made).exact;
  const { output } = await exactAttention(backend, problem);
  const [exact] = float64Heads(...tensors, options), [value] = valueGeometry(problem);
  const bounds = roundingBounds(backend, problem);
  return Array.from({ length: queries }, (_, row) => {
    let squared = 0;
    for (let c = 0, at = row * columns; c < columns; c++, at++) {
      squared += (output[at] - exact.output[at]) ** 2;
    }
    return { error: Math.sqrt(squared), bound: roundingOfRow(bounds, value, row) };
  });
}

const tensorsOf = ({ query, key, value }: Input) =>
  [
    tensor(query, [queries, features]),
    tensor(key, [keys, features]),
    tensor(value, [keys, columns]),
  ] as const;

for (const { name, ...rest } of inputs) {
  onEachBackend(
    `rows of exact attention err by no more than their rounding bound: ${name}`,
    async (backend) => {
      for (const halved of [false, true]) {
        const found = await errorsAndBounds(backend, tensorsOf({ name, ...rest }), rest.options, halved);
        for (const [row, { error, bound }] of found.entries()) {
          assertLessOrEqual(error, bound, `row ${row}, halves ${halved}: ${error} against ${bound}`);
        }
      }
    },
  );
}

onEachBackend(
  "what half floats add to the rounding bound is of their size, where they are taken",
  async (backend) => {
    const tensors = tensorsOf(input("gaussian"));
    const [floats, halves] = [
      await errorsAndBounds(backend, tensors),
      await errorsAndBounds(backend, tensors, {}, true),
    ]
      .map((rows) => ({
        error: Math.hypot(...rows.map(({ error }) => error)),
        bound: Math.hypot(...rows.map(({ bound }) => bound)),
      }));
    if (backend.kind === "webgpu") {
      assert(halves.error > 20 * floats.error, "nothing was rounded");
      assertLessOrEqual(halves.bound, 1000 * halves.error, `${halves.bound} against ${halves.error}`);
    } else assertEquals(halves, floats);
  },
);

onEachBackend(
  "the rounding bound is of use: within some thousand times the error of gaussian input",
  async (backend) => {
    const found = await errorsAndBounds(backend, tensorsOf(input("gaussian")));
    const [error, bound] = [0, 1].map((which) =>
      Math.hypot(...found.map((row) => which === 0 ? row.error : row.bound))
    );
    assertLessOrEqual(bound, 2e4 * error, `${bound} against ${error}`);
  },
);

onEachBackend("the exponential of attention is as precise as its device says", async (backend) => {
  const count = 20_000, rounding = backend.attendRounding({ features: 1, keys: 2 });
  const logits = Float32Array.from({ length: count }, (_, at) => -86.9 * at / count);
  const attended = backend.attend({
    heads: 1,
    queries: count,
    keys: 2,
    features: 1,
    valueFeatures: 1,
    scale: 1,
    query: backend.upload(logits),
    key: backend.upload(Float32Array.of(0, 1)),
    value: backend.upload(Float32Array.of(0, 1)),
  });
  const [found] = await backend.run([attended.output]);
  // Beside the exponential: the total, its inverse and the product with that.
  const near = rounding.exponential + 5 * rounding.unit + rounding.output;
  for (const [at, logit] of logits.entries()) {
    const exact = Math.exp(logit) / (1 + Math.exp(logit)),
      allowed = near - rounding.exponentialPerUnit * logit;
    assert(Math.abs(found[at] - exact) <= allowed * exact, `e^${logit}: ${found[at]} against ${exact}`);
  }
});
