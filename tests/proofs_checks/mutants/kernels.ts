import { type Backend, EMPTY, MASKED, type PartialAttention } from "../../../kernels/backend.ts";
import { floats, floatValues, words, wordValues } from "../../../kernels/reference/array.ts";

/** Reference kernels with some of them replaced. */
export function replaceKernels(
  broken: (backend: Backend) => Partial<Backend>,
): (backend: Backend) => Backend {
  return (backend) => {
    const replaced = broken(backend);
    return new Proxy(backend, {
      get: (target, name) => {
        const own = Reflect.get(replaced, name) ?? Reflect.get(target, name);
        return typeof own === "function" ? own.bind(target) : own;
      },
    });
  };
}

/** The Gray code applied forwards, as in the authors' code: neighbouring buckets differ in several signs. */
export const forwardGray = replaceKernels((backend) => ({
  angularHash: (args) => {
    const gray = (code: number) => (code ^ (code >>> 1)) >>> 0;
    return words(wordValues(backend.angularHash(args)).map((rank) => gray(gray(rank))));
  },
}));

/** Attention that knows which keys are hidden, and nothing else of what they weigh. */
export const weightsLeftOut = replaceKernels((backend) => ({
  attend: (args) => {
    const masks = args.logWeights && floatValues(args.logWeights).map((w) => w <= MASKED ? EMPTY : 0);
    return backend.attend({ ...args, logWeights: masks && floats(masks) });
  },
}));

/** Attention to all sampled keys but the last. */
export const lastSampleMissed = replaceKernels((backend) => ({
  attend: ({ samples, ...args }) => {
    const count = (samples?.count ?? 1) - 1;
    if (!samples || count === 0) return backend.attend({ ...args, samples });
    const index = words(wordValues(samples.index).subarray(0, count));
    const logWeights = floats(floatValues(samples.logWeights).subarray(0, count));
    return backend.attend({ ...args, samples: { ...samples, count, index, logWeights } });
  },
}));

/** Keys hashed where they lie and not about their mean. */
export const hashNotCentred = replaceKernels((backend) => ({
  angularHash: (args) => backend.angularHash({ ...args, shift: undefined }),
}));

/** Samples weighted as if they had been drawn evenly. */
export const evenWeights = replaceKernels((backend) => ({
  sampleKeys: (args) => {
    const { index } = backend.sampleKeys(args);
    const logWeight = new Float64Array(args.heads * args.samples).fill(Math.log(args.keys / args.samples));
    return { index, logWeight: floats(logWeight) };
  },
}));

/** The heaviest key is never drawn: the first one stands in for it. */
export const heaviestMissed = replaceKernels((backend) => ({
  sampleKeys: (args) => {
    const importance = floatValues(args.importance), heaviest = importance.indexOf(Math.max(...importance));
    const { index, logWeight } = backend.sampleKeys(args);
    return { index: words(wordValues(index).map((key) => key === heaviest ? 0 : key)), logWeight };
  },
}));

/** Parts merged by bare exponentials. */
export const unshiftedMerge = replaceKernels(() => ({
  mergeAttention: (args): PartialAttention => {
    const [a, b] = [args.first, args.second].map(({ logSumExp }) => floatValues(logSumExp).map(Math.exp));
    const [x, y] = [args.first, args.second].map(({ output }) => floatValues(output));
    const width = args.valueFeatures;
    return {
      output: floats(x.map((value, at) => {
        const row = Math.floor(at / width);
        return (a[row] * value + b[row] * y[at]) / (a[row] + b[row]);
      })),
      logSumExp: floats(a.map((sum, row) => Math.log(sum + b[row]))),
    };
  },
}));

/** Calibrated values that are all zero, as drivers that return nothing give them without an error. */
export const zeroCalibration = replaceKernels(() => ({
  calibrateValues: ({ value }) => floats(new Float64Array(floatValues(value).length)),
}));

/** Lists of entries whose mass nobody looks at. */
export const massesLeftOut = replaceKernels((backend) => ({
  sumLists: (args) => {
    const sums = backend.sumLists(args);
    return { ...sums, logWeight: floats(floatValues(sums.logWeight).map((x) => x > EMPTY ? 0 : x)) };
  },
}));

/** Sampling by ‖[v, 1]‖ of values that were not scaled, as in the authors' code. */
export const scaleBoundSampling = replaceKernels(() => ({
  keyImportance: ({ value, heads, keys, valueFeatures }) => {
    const values = floatValues(value);
    return floats(Float64Array.from({ length: heads * keys }, (_, key) => {
      let squared = 1;
      for (let c = 0; c < valueFeatures; c++) squared += values[key * valueFeatures + c] ** 2;
      return Math.sqrt(squared);
    }));
  },
}));
