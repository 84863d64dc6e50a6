import { assertRejects } from "@std/assert";
import {
  attention,
  type AttentionOptions,
  attentionPartial,
  mergePartials,
  openDevice,
  tensor,
} from "../../../mod.ts";
import { normals } from "../../data.ts";

const q = tensor(normals(1, 24), [2, 3, 4]);
const k = tensor(normals(2, 40), [2, 5, 4]);
const v = tensor(normals(3, 30), [2, 5, 3]);

function rejected(
  name: string,
  type: new (...args: never[]) => Error,
  text: string,
  change: { q?: unknown; k?: unknown; v?: unknown; options?: Record<string, unknown> },
): void {
  Deno.test(`attention() rejects ${name}`, async () => {
    const options = { device: "reference", ...change.options } as AttentionOptions;
    const pick = (given: unknown, usual: typeof q) => (given === undefined ? usual : given) as typeof q;
    await assertRejects(
      () => attention(pick(change.q, q), pick(change.k, k), pick(change.v, v), options),
      type,
      text,
    );
  });
}

function spoilt(at: number, value: number): typeof k {
  const data = k.data.slice();
  data[at] = value;
  return tensor(data, k.shape);
}

rejected("what is no tensor", TypeError, "Cannot read query: data must be a Float32Array", { q: [1, 2] });
rejected("null", TypeError, "Cannot read key: data must be a Float32Array", { k: null });
rejected("float64 data", TypeError, "data must be a Float32Array", {
  q: { data: new Float64Array(24), shape: [2, 3, 4] },
});
rejected("a shape that does not fit the data", TypeError, "shape [2, 3, 5] needs 30 values but data has 24", {
  q: { data: q.data, shape: [2, 3, 5] },
});
rejected("an empty tensor", RangeError, "dimension 1 must be a positive integer: current value is 0", {
  k: { data: new Float32Array(0), shape: [2, 0, 4] },
});
rejected("a negative size", RangeError, "dimension 0 must be a positive integer: current value is -2", {
  q: { data: q.data, shape: [-2, -3, 4] },
});
rejected("a fractional size", RangeError, "dimension 0 must be a positive integer: current value is 1.5", {
  q: { data: q.data, shape: [1.5, 4, 4] },
});
rejected("one dimension", TypeError, "query must have at least 2 dimensions: current shape is [24]", {
  q: { data: q.data, shape: [24] },
});
rejected("other features", TypeError, "key has 4 features but query has 6", {
  q: { data: q.data, shape: [2, 2, 6] },
});
rejected("other numbers of keys and values", TypeError, "value has 10 rows but key has 5", {
  v: { data: v.data, shape: [1, 10, 3] },
});
rejected("other heads of key and value", TypeError, "same leading dimensions", {
  k: { data: k.data.slice(0, 20), shape: [1, 5, 4] },
});
rejected("query heads that are no multiple", TypeError, "query heads must be key heads or a multiple", {
  q: { data: normals(1, 36), shape: [3, 3, 4] },
});
rejected(
  "NaN, by tensor, row and column",
  RangeError,
  "key must be finite: row 3, column 2 of head 1 is NaN",
  {
    k: spoilt(20 + 14, NaN),
  },
);
rejected("infinity", RangeError, "key must be finite: row 0, column 0 of head 0 is -Infinity", {
  k: spoilt(0, -Infinity),
});
rejected(
  "values that overflow",
  RangeError,
  "key must be below 1e+30 in magnitude: row 0, column 1 of head 0",
  {
    k: spoilt(1, 1e31),
  },
);
rejected("logits that overflow", RangeError, "logits must stay below 1e+30", {
  k: spoilt(1, 1e29),
  q: { data: q.data.map((x) => 100 * x), shape: q.shape },
});
rejected("an infinite scale", RangeError, "scale must be a finite number: current value is Infinity", {
  options: { scale: Infinity },
});
rejected("an unknown method", RangeError, "method must be one of auto, exact", {
  options: { method: "magic" },
});
rejected(
  "an unknown device",
  RangeError,
  "prefer must be webgpu, wasm or reference: current value is abacus",
  {
    options: { device: "abacus" },
  },
);
rejected("a fractional bucket size", RangeError, "bucketSize must be an integer from 1", {
  options: { bucketSize: 1.5 },
});
rejected("no samples", RangeError, "samples must be an integer from 1", { options: { samples: 0 } });
rejected(
  "too many projections",
  RangeError,
  "projections must be an integer from 1 to 24: current value is 25",
  {
    options: { projections: 25 },
  },
);
rejected("a check seed of 2^53", RangeError, "checkSeed must be an integer from 0", {
  options: { checkSeed: 2 ** 53 },
});
rejected("a negative seed", RangeError, "seed must be an integer from 0", { options: { seed: -1 } });
rejected("epsilon 1", RangeError, "epsilon must lie between 0 and 1: current value is 1", {
  options: { epsilon: 1 },
});
rejected("delta 0", RangeError, "delta must lie between 0 and 1: current value is 0", {
  options: { delta: 0 },
});
rejected("epsilon NaN", RangeError, "epsilon must lie between 0 and 1: current value is NaN", {
  options: { epsilon: NaN },
});
rejected(
  "an unknown way to certify",
  RangeError,
  "certify must be one of bound, estimate: current value is hope",
  {
    options: { certify: "hope" },
  },
);
rejected("an unknown storage", RangeError, "storage must be one of f32, f16: current value is f64", {
  options: { storage: "f64" },
});
rejected(
  "half floats with a method that approximates",
  RangeError,
  'storage "f16" takes method "exact" and no epsilon',
  { options: { storage: "f16" } },
);
rejected(
  "half floats with a certificate",
  RangeError,
  'storage "f16" takes method "exact" and no epsilon',
  { options: { storage: "f16", method: "exact", epsilon: 0.1 } },
);
rejected("causal attention with too few keys", RangeError, "so query 0 sees no key", {
  q: tensor(normals(1, 48), [2, 6, 4]),
  options: { causal: true },
});
rejected(
  "a mask of the wrong length",
  TypeError,
  "keyMask must have 5 entries, or 10 for 2 heads: it has 4",
  {
    options: { keyMask: [1, 1, 1, 1] },
  },
);
rejected("a mask that hides every key", RangeError, "keyMask must leave at least one key: head 1 has none", {
  options: { keyMask: [1, 1, 1, 1, 1, 0, 0, 0, 0, 0] },
});
rejected("a mask that hides the first causal keys", RangeError, "query 0 sees keys up to 2, but the first", {
  options: { keyMask: [0, 0, 0, 1, 1], causal: true },
});

Deno.test("attention() rejects with the reason of an aborted signal", async () => {
  const reason = new Error("enough");
  await assertRejects(
    () => attention(q, k, v, { device: "reference", signal: AbortSignal.abort(reason) }),
    Error,
    "enough",
  );
});

Deno.test("attention() rejects with AbortError when aborted without a reason", async () => {
  await assertRejects(
    () => attention(q, k, v, { device: "reference", signal: AbortSignal.abort() }),
    DOMException,
    "aborted",
  );
});

Deno.test("attentionPartial() and mergePartials() reject what does not fit", async () => {
  await assertRejects(
    () => attentionPartial(q, k, v, { device: "reference", causalOffset: 0.5 }),
    RangeError,
    "causalOffset must be an integer: current value is 0.5",
  );
  const one = await attentionPartial(q, k, v, { device: "reference" });
  const other = await attentionPartial(q, k, tensor(normals(3, 20), [2, 5, 2]), { device: "reference" });
  await assertRejects(
    () => Promise.resolve().then(() => mergePartials([])),
    TypeError,
    "at least one partial result",
  );
  await assertRejects(
    () => Promise.resolve().then(() => mergePartials([one, other])),
    TypeError,
    "must have one shape",
  );
});

Deno.test("openDevice() rejects an unknown kind", async () => {
  await assertRejects(() => openDevice({ prefer: "abacus" as "wasm" }), RangeError, "prefer must be webgpu");
});
