import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { checkOutput } from "../../../estimators/core/check_output.ts";
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
  "device must be one that openDevice() gave, or one of webgpu, wasm, reference: current value is abacus",
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
  'storage "f16" takes method "exact": current value of method is "auto"',
  { options: { storage: "f16" } },
);
rejected(
  "half floats with an approximation that is to be certified",
  RangeError,
  'storage "f16" takes method "exact": current value of method is "calibrated"',
  { options: { storage: "f16", method: "calibrated", epsilon: 0.1 } },
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
rejected("a mask of the wrong length for one head", TypeError, "keyMask must have 3 entries: it has 2", {
  q: tensor(normals(1, 20), [5, 4]),
  k: tensor(normals(2, 12), [3, 4]),
  v: tensor(normals(3, 6), [3, 2]),
  options: { keyMask: [1, 1] },
});
rejected(
  "an additive mask, with a hint",
  RangeError,
  "entry 3 is -10000: additive masks (0 keeps, -Infinity hides)",
  {
    options: { keyMask: [1, 1, 1, -1e4, 0] },
  },
);
rejected("a soft mask", RangeError, "keyMask must hold 0 and 1, or false and true: entry 1 is 0.25", {
  options: { keyMask: Float32Array.of(1, 0.25, 1, 1, 1) },
});
rejected("a mask of texts", TypeError, 'keyMask must hold 0 and 1, or false and true: entry 0 is "1"', {
  options: { keyMask: "1,0,1,1,0".split(",") },
});
rejected("a mask with NaN", RangeError, "entry 8 is NaN", {
  options: { keyMask: [1, 1, 1, 1, 1, 1, 1, 1, NaN, 1] },
});
rejected("a mask of batches", TypeError, "entry 0 is an array of length 5", {
  options: { keyMask: Array.from({ length: 5 }, () => [1, 1, 0, 0, 1]) },
});
rejected(
  "no mask",
  TypeError,
  "keyMask must be an array of 0 and 1, or false and true: current value is null",
  {
    options: { keyMask: null },
  },
);
rejected("an option that is misspelt", TypeError, 'unknown option "bucketsize": did you mean bucketSize?', {
  options: { bucketsize: 3 },
});
rejected("an option of another library", TypeError, 'unknown option "isCausal": did you mean causal?', {
  options: { isCausal: true },
});
rejected("an option that nothing is like", TypeError, 'unknown option "dropout": there are scale, causal', {
  options: { dropout: 0.1 },
});
rejected("a scale of another type", TypeError, 'scale must be a finite number: current value is "0.5"', {
  options: { scale: "0.5" },
});
rejected("a flag of another type", TypeError, "causal must be true or false: current value is 1", {
  options: { causal: 1 },
});
rejected(
  "what cannot abort",
  TypeError,
  "signal must be an AbortSignal: current value is an AbortController",
  {
    options: { signal: new AbortController() },
  },
);
rejected("what cannot be called", TypeError, 'onProgress must be a function: current value is "loud"', {
  options: { onProgress: "loud" },
});
rejected("arrays of a framework that watches them", TypeError, "behind a proxy: pass the array itself", {
  q: { data: new Proxy(q.data, {}), shape: q.shape },
});
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

Deno.test("masks of every kind of array are the same mask", async () => {
  const mask = [1, 0, 1, 1, 0, 0, 1, 1, 0, 1],
    kinds: AttentionOptions["keyMask"][] = [
      mask,
      mask.map(Boolean),
      ...[Uint8Array, Uint8ClampedArray, Int8Array, Uint16Array, Int32Array, Float32Array, Float64Array].map(
        (kind) => kind.from(mask),
      ),
      Object.assign({ length: 10 }, mask),
      new Proxy(mask, {}),
    ];
  const outputs: unknown[] = [];
  for (const keyMask of kinds) {
    const { output } = await attention(q, k, v, { method: "exact", device: "reference", keyMask });
    outputs.push(output);
  }
  assertEquals(outputs, outputs.map(() => outputs[0]));
});

Deno.test("attention() takes options of a class, but no device for them", async () => {
  class Settings {
    method = "exact" as const;
    get device() {
      return "reference" as const;
    }
  }
  assertEquals((await attention(q, k, v, new Settings())).stats.device, "reference");
  using device = await openDevice({ prefer: "reference" });
  await assertRejects(
    () => attention(q, k, v, device as AttentionOptions),
    TypeError,
    "options must be an object with names such as scale, causal, keyMask: current value is a Device",
  );
});

Deno.test("a result that is not finite is an error that says where", () => {
  checkOutput(Float32Array.of(-0, 3e38, 1e-45), [1, 3], "exact on wasm");
  for (const [x, text] of [[NaN, "NaN"], [-Infinity, "-Infinity"]] as const) {
    const output = new Float32Array(24);
    output[17] = x;
    assertThrows(
      () => checkOutput(output, [2, 4, 3], "routed on webgpu"),
      Error,
      `Cannot attend: routed on webgpu produced ${text} in row 1, column 2 of head 1`,
    );
  }
});

Deno.test("openDevice() rejects what is no object of options, and options of other names", async () => {
  const refuse = (options: unknown, text: string) =>
    assertRejects(() => openDevice(options as Record<string, never>), TypeError, text);
  await refuse(
    "webgpu",
    'options must be an object with names such as prefer, gpu, gpuDevice: current value is "webgpu"',
  );
  await refuse({ prefers: "wasm" }, 'unknown option "prefers": did you mean prefer?');
  await refuse({ threads: "2" }, 'threads must be an integer from 1 to 128: current value is "2"');
});

Deno.test("tensor() says which element is no number", () => {
  const refuse = (data: unknown, text: string) =>
    assertThrows(() => tensor(data as number[], [3]), TypeError, text);
  refuse([1, "2", 3], 'data must be an array of numbers: element 1 is "2"');
  refuse([1, 2, null], "element 2 is null");
  refuse([1, , 3], "element 1 is undefined");
  refuse([[1, 2, 3]], "element 0 is an array of length 3: flatten it, row after row");
  refuse(BigInt64Array.of(1n, 2n, 3n), "element 0 is 1n");
  assertEquals(tensor(Int16Array.of(1, -2, 3), [3]).data, Float32Array.of(1, -2, 3));
  assertEquals(tensor({ length: 3, 0: 1, 1: 2, 2: NaN }, [3]).data, Float32Array.of(1, 2, NaN));
});

Deno.test("openDevice() rejects an unknown kind", async () => {
  await assertRejects(
    () => openDevice({ prefer: "abacus" as "wasm" }),
    RangeError,
    "prefer must be one of webgpu",
  );
});
