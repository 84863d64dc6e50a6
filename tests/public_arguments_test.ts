/** Every public function refuses arguments of the wrong type by name. What has no case here fails. */
import { assertEquals } from "@std/assert";
import * as mod from "../mod.ts";
import * as verification from "../proofs_checks/mod.ts";
import { type Call, checkArgument } from "./wrong_values.ts";

const { tensor } = mod, device = "reference";
const q = tensor([1, 0, 0, 1], [2, 2]), k = tensor([1, 0, 0, 1], [2, 2]), v = tensor([1, 2, 3, 4], [2, 2]);
const partial = { output: v, logSumExp: tensor([0, 0], [2]) };
const report = {
  ...{ schema: "kdeformer-verification", version: 1, seed: 1, device, adapter: "", level: 0.05 },
  ...{ family_size: 1, seconds: 0, claims: [], results: [], points: [] },
};
const input = { name: "n", description: "d", query: q, key: k, value: v, scale: 1 };

/** What every option takes besides: where it is left out, its default. */
const absent = ["undefined"];
const anyText = ["an empty text", "a text", "a number as text", "a long text"];
const positive = ["a fraction", "Infinity", "a number beyond 2^53"];
const run = { device: absent, signal: absent };

/** Which wrong values each option takes, by function. The types keep the lists of options complete. */
const options = {
  attention: {
    scale: [...absent, "a negative number", "a fraction", "a number beyond 2^53"],
    causal: [...absent, "true"],
    keyMask: absent,
    method: absent,
    epsilon: absent,
    delta: absent,
    certify: absent,
    tolerance: absent,
    budget: absent,
    bucketSize: absent,
    samples: absent,
    projections: absent,
    seed: absent,
    checkSeed: absent,
    storage: absent,
    onProgress: [...absent, "a function"],
    ...run,
  } satisfies Record<keyof mod.AttentionOptions, readonly string[]>,
  attentionPartial: {
    scale: [...absent, "a negative number", "a fraction", "a number beyond 2^53"],
    keyMask: absent,
    onProgress: [...absent, "a function"],
    causalOffset: [...absent, "a negative number", "a number beyond 2^53"],
    ...run,
  } satisfies Record<keyof mod.PartialOptions, readonly string[]>,
  robustAttention: {
    scale: [...absent, "a negative number", "a fraction", "a number beyond 2^53"],
    keyMask: absent,
    weights: absent,
    outlierFraction: absent,
    thresholds: absent,
    density: absent,
    bandwidth: absent,
    samples: absent,
    seed: absent,
    ...run,
  } satisfies Record<keyof mod.RobustAttentionOptions, readonly string[]>,
  openDevice: {
    prefer: absent,
    gpu: absent,
    gpuDevice: absent,
    timeoutSeconds: [...absent, "a fraction"],
    signal: absent,
    threads: absent,
    timed: [...absent, "true"],
    tuning: absent,
    onWarning: [...absent, "a function"],
  } satisfies Record<keyof mod.OpenDeviceOptions, readonly string[]>,
  verify: {
    claims: [...absent, "an empty array"],
    families: [...absent, "an empty array"],
    sources: [...absent, "an empty array"],
    level: absent,
    runs: absent,
    seed: absent,
    n: absent,
    delta: absent,
    shard: absent,
    implementation: absent,
    code: absent,
    machine: absent,
    keepPartial: [...absent, "true"],
    onResult: [...absent, "a function"],
    ...run,
  } satisfies Record<keyof verification.VerifyOptions, readonly string[]>,
  measureScaling: {
    min: absent,
    max: absent,
    epsilon: absent,
    workloads: [...absent, "an empty array", "an array of texts"],
    method: absent,
    seed: absent,
    device: absent,
    limit: [...absent, ...positive],
    replay: [...absent, ...anyText],
    load: [...absent, "a function"],
    peakMemory: [...absent, "a function"],
    onPoint: [...absent, "a function"],
  } satisfies Record<keyof verification.ScalingOptions, readonly string[]>,
  measureComparison: {
    methods: [...absent, "an empty array"],
    budgets: [...absent, "an empty array"],
    seeds: absent,
    seed: absent,
    repeat: absent,
    causal: [...absent, "true"],
    replay: [...absent, ...anyText],
    onProgress: [...absent, "a function"],
    peakMemory: [...absent, "a function"],
    attend: [...absent, "a function"],
    ...run,
  } satisfies Record<keyof verification.ComparisonOptions, readonly string[]>,
};

/** Which wrong values are right for an object of options as a whole. */
const noOptions = ["undefined", "an empty object", "an object without a prototype"];
const none: readonly string[] = [];

/** An argument: a pattern of its name in errors, the wrong values that it takes, and a call with it. */
type Argument = readonly [name: string, takes: readonly string[], call: Call];

/** The arguments that are options, and the object of them. */
function optionsOf(takes: Readonly<Record<string, readonly string[]>>, call: Call): Argument[] {
  const each = Object.entries(takes).map(([name, right]): Argument => [
    // Lists are named in the singular where one of their entries is at fault.
    `\\b${name.replace(/(ies|s)$/, "")}(ies|y|s)?\\b`,
    right,
    (value) => call({ ...usual, [name]: value }),
  ]);
  const usual = "device" in takes ? { device } : {};
  return [["option", noOptions, call], ["unknown option", none, (value) => call({ abacus: value })], ...each];
}

const density = {
  method: absent,
  epsilon: absent,
  delta: absent,
  densityFloor: [...absent, "true"].slice(0, 1),
  seed: absent,
  ...run,
} satisfies Record<keyof mod.DensityOptions, readonly string[]>;
const bandwidth = [...absent, "a fraction", "a number beyond 2^53"];
const withBandwidth = { ...density, bandwidth, kernel: absent } satisfies Record<
  keyof mod.EstimateDensityOptions,
  readonly string[]
>;
const sum = {
  ...{ epsilon: absent, delta: absent, seed: absent, bandwidth, kernel: absent, samples: absent },
  ...run,
} satisfies Record<keyof mod.KernelSumOptions, readonly string[]>;

const spectrum = {
  scale: options.attention.scale,
  ...{ method: absent, leading: absent, tolerance: absent, rows: absent, delta: absent, seed: absent },
  ...run,
} satisfies Record<keyof mod.SoftmaxSpectrumOptions, readonly string[]>;

// deno-lint-ignore no-explicit-any
type Any = any;

/** The arguments of every public function, those of the methods of Device under its name. */
const cases: Readonly<Record<string, () => readonly Argument[]>> = {
  attention: () => [
    ["query", none, (x) => mod.attention(x as Any, k, v, { device })],
    ["key", none, (x) => mod.attention(q, x as Any, v, { device })],
    ["value", none, (x) => mod.attention(q, k, x as Any, { device })],
    ...optionsOf(options.attention, (x) => mod.attention(q, k, v, x as Any)),
  ],
  attentionPartial: () => [
    ["query", none, (x) => mod.attentionPartial(x as Any, k, v, { device })],
    ["key", none, (x) => mod.attentionPartial(q, x as Any, v, { device })],
    ["value", none, (x) => mod.attentionPartial(q, k, x as Any, { device })],
    ...optionsOf(options.attentionPartial, (x) => mod.attentionPartial(q, k, v, x as Any)),
  ],
  robustAttention: () => [
    ["query", none, (x) => mod.robustAttention(x as Any, k, v, { device })],
    ["key", none, (x) => mod.robustAttention(q, x as Any, v, { device })],
    ["value", none, (x) => mod.robustAttention(q, k, x as Any, { device })],
    ...optionsOf(options.robustAttention, (x) => mod.robustAttention(q, k, v, x as Any)),
  ],
  mergePartials: () => [
    ["partials", none, (x) => mod.mergePartials(x as Any)],
    ["partials\\[1\\]", none, (x) => mod.mergePartials([partial, x as Any])],
    ["partials\\[1\\]\\.output", none, (x) => mod.mergePartials([partial, { ...partial, output: x as Any }])],
    ["partials\\[0\\]\\.logSumExp", none, (x) => mod.mergePartials([{ ...partial, logSumExp: x as Any }])],
  ],
  openDevice: () => optionsOf(options.openDevice, (x) => mod.openDevice(x as Any)),
  Device: () => {
    const on = async (use: (opened: mod.Device) => unknown) => {
      using opened = await mod.openDevice({ prefer: device });
      return await use(opened);
    };
    return [
      ["features", none, (x) => on((opened) => opened.tune(x as Any))],
      ["valueFeatures", absent, (x) => on((opened) => opened.tune(1, x as Any))],
    ];
  },
  disposeDevices: () => [], // It takes none.
  tensor: () => [
    ["data", ["a Float32Array", "a Float64Array"], (x) => tensor(x as Any, [2, 2])],
    ["shape|dimension", none, (x) => tensor(new Float32Array(4), x as Any)],
  ],
  checkTensor: () => [
    ["name", anyText, (x) => mod.checkTensor(x as Any, q)],
    ["the keys", none, (x) => mod.checkTensor("the keys", x)],
  ],
  estimateDensity: () => [
    ["points", none, (x) => mod.estimateDensity(x as Any, q, { device })],
    ["queries", none, (x) => mod.estimateDensity(q, x as Any, { device })],
    ...optionsOf(withBandwidth, (x) => mod.estimateDensity(q, k, x as Any)),
  ],
  kernelSum: () => [
    ["points", none, (x) => mod.kernelSum(x as Any, { device })],
    ...optionsOf(sum, (x) => mod.kernelSum(q, x as Any)),
  ],
  kernelProduct: () => [
    ["points", none, (x) => mod.kernelProduct(x as Any, [1, 2], { device })],
    ["vector", none, (x) => mod.kernelProduct(q, x as Any, { device })],
    ...optionsOf(withBandwidth, (x) => mod.kernelProduct(q, [1, 2], x as Any)),
  ],
  softmaxSpectrum: () => [
    ["query", none, (x) => mod.softmaxSpectrum(x as Any, k, { device })],
    ["key", none, (x) => mod.softmaxSpectrum(q, x as Any, { device })],
    ...optionsOf(spectrum, (x) => mod.softmaxSpectrum(q, k, x as Any)),
  ],
  topEigenpair: () => [
    ["points", none, (x) => mod.topEigenpair(x as Any, { device })],
    ...optionsOf(withBandwidth, (x) => mod.topEigenpair(q, x as Any)),
  ],
  weightedExponentialKde: () => [
    ["points", none, (x) => mod.weightedExponentialKde(x as Any, [1, 2], q, { device })],
    ["weights?", none, (x) => mod.weightedExponentialKde(q, x as Any, q, { device })],
    ["queries", none, (x) => mod.weightedExponentialKde(q, [1, 2], x as Any, { device })],
    ...optionsOf(density, (x) => mod.weightedExponentialKde(q, [1, 2], k, x as Any)),
  ],
  verify: () => optionsOf(options.verify, (x) => verification.verify(x as Any)),
  measureScaling: () => optionsOf(options.measureScaling, (x) => verification.measureScaling(x as Any)),
  measureComparison: () => [
    ["input", none, (x) => verification.measureComparison(x as Any, { device })],
    ["input.query", none, (x) => verification.measureComparison({ ...input, query: x as Any }, { device })],
    ...optionsOf(options.measureComparison, (x) => verification.measureComparison(input, x as Any)),
  ],
  mergeReports: () => [
    ["reports", ["an empty array"], (x) => verification.mergeReports(x as Any)],
    ["reports\\[0\\]", none, (x) => verification.mergeReports([x as Any])],
    ["results", ["an empty array"], (x) => verification.mergeReports([{ ...report, results: x } as Any])],
  ],
  paretoFront: () => [
    ["points", ["an empty array"], (x) => verification.paretoFront(x as Any)],
    ["points\\[0\\]", none, (x) => verification.paretoFront([x as Any])],
  ],
};

/** Errors, for callers to recognise or to throw. */
const errors = ["DeviceLostError", "DeviceUnavailableError", "NotApplicable"];

Deno.test("every function that is exported has its arguments checked here", () => {
  const exported = [...Object.entries(mod), ...Object.entries(verification)]
    .filter(([name, value]) => typeof value === "function" && !errors.includes(name))
    .map(([name]) => name);
  assertEquals(Object.keys(cases).sort(), exported.sort());
});

for (const [name, list] of Object.entries(cases)) {
  Deno.test(`${name}() refuses arguments of the wrong type by name`, async (t) => {
    for (const [argument, takes, call] of list()) {
      await t.step(argument, () => checkArgument(argument, takes, call));
    }
  });
}
