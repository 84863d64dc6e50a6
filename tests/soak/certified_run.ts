import { float64Heads, headErrors } from "../estimators/certified/float64_heads.ts";
import { attention, type AttentionOptions, type Certificate, type Device, tensor } from "../../mod.ts";
import { approximateMethods, type MethodName, ourNames } from "../../estimators/methods/methods.ts";
import type { Tensor } from "../../kernels/tensor.ts";
import { Purpose, RandomStream } from "../../kernels/random.ts";

/** What one certified attention came to. */
export interface CertifiedRun {
  /** What was asked, in words. */
  readonly what: string;
  readonly delta: number;
  /** That was asked for. */
  readonly method: MethodName;
  /** Null where epsilon was refused. */
  readonly certificate: Certificate | null;
  /** Largest ‖error‖ / (epsilon ‖P‖ ‖V‖) of a query head, in float64; 0 where epsilon was refused. */
  readonly share: number;
}

/** Sizes up to which the norms of P take milliseconds. */
const MOST = 512;
const methods: readonly MethodName[] = [
  "auto",
  "exact",
  ...ourNames.filter((name) => approximateMethods[name].withinBudget),
];

/** A tree pays from here on. */
const TREE_SIZE = 1024;

/**
 * Draws an attention problem of any kind, asks for any epsilon, and compares what is certified with float64.
 *
 * @param only The method, if it is not to be drawn.
 */
export async function certifiedRun(
  device: Device,
  seed: number,
  index: number,
  only?: MethodName,
): Promise<CertifiedRun> {
  const draw = new Draw(seed, index), drawn = draw.pick(methods), method = only ?? drawn;
  const tree = method === "tilted-tree" && draw.chance(0.8);
  const { query, key, value, words } = draw.tensors(tree);
  const options: AttentionOptions = {
    device,
    epsilon: draw.coin() || tree ? draw.between(0.05, 0.5) : draw.between(1e-9, 0.5),
    delta: draw.pick([0.05, 0.1, 0.2]),
    method,
    causal: !tree && draw.chance(0.1) && query.shape[2] <= key.shape[2],
    scale: draw.chance(0.2) ? draw.between(1e-4, 1e4) : undefined,
    keyMask: !tree && draw.chance(0.1) ? draw.mask(key.shape[2]) : undefined,
    bucketSize: draw.pick(tree ? [32, 40] : [8, 16, 32]),
    samples: draw.pick(tree ? [48, 64] : [8, 16, 32]),
    seed: draw.integer(1000),
    checkSeed: draw.integer(2 ** 31),
  };
  const { device: _, keyMask, ...said } = options;
  const what = `${words}, q ${query.shape}, k ${key.shape}, d_v ${value.shape[3]}${
    keyMask ? ", masked" : ""
  }, ${JSON.stringify(said)}`;
  const certified = await attention(query, key, value, options).catch((error) => {
    if (error instanceof RangeError && error.message.startsWith("Cannot certify: ")) return null;
    throw new Error(`In ${what}`, { cause: error });
  });
  if (!certified) return { what, delta: options.delta!, method, certificate: null, share: 0 };
  const heads = float64Heads(query, key, value, options);
  const shares = headErrors(certified.output.data, heads, value.shape[3])
    .map((error, head) => error === 0 ? 0 : error / (options.epsilon! * heads[head].product));
  const { certificate } = certified;
  return { what, delta: options.delta!, method, certificate, share: Math.max(...shares) };
}

/** Everything random about one run. */
class Draw {
  readonly #stream: RandomStream;

  constructor(seed: number, index: number) {
    this.#stream = new RandomStream(seed, Purpose.data, index);
  }

  chance(p: number): boolean {
    return this.#stream.uniform() < p;
  }

  coin(): boolean {
    return this.chance(0.5);
  }

  integer(bound: number): number {
    return this.#stream.integer(bound);
  }

  pick<T>(from: readonly T[]): T {
    return from[this.integer(from.length)];
  }

  /** Evenly in the logarithm. */
  between(least: number, most: number): number {
    return least * (most / least) ** this.#stream.uniform();
  }

  /** Key masks that leave the first key, which every query sees. */
  mask(keys: number): boolean[] {
    return Array.from({ length: keys }, (_, j) => j === 0 || this.chance(0.7));
  }

  /** @param tree Whether a tree is to have something to do. */
  tensors(tree: boolean): { query: Tensor; key: Tensor; value: Tensor; words: string } {
    // Certificates of approximations pay where there are many queries and few columns.
    const large = tree || this.chance(0.6), most = tree ? TREE_SIZE : MOST;
    const [queries, keys] = [0, 0].map(() => large ? most : Math.round(this.between(1, most)));
    const features = Math.round(this.between(tree ? 32 : 1, 64)),
      columns = Math.round(this.between(1, large ? 6 : 48));
    const keyHeads = tree ? 1 : 1 + this.integer(2), group = 1 + this.integer(tree ? 2 : 4);
    const logits = this.between(0.01, this.chance(0.1) ? 1e5 : 30);
    const spread = Math.sqrt(logits) / features ** 0.25;
    const offset = () => this.chance(0.3) ? this.between(1, 1e4) : 0;
    const [queryOffset, keyOffset, valueOffset] = [offset(), offset(), offset()];
    const size = this.chance(0.1) ? this.between(1e-30, 1e25) : 1;
    const kinds = ["gaussian", "ties", "sink", "needles", "clusters"];
    const kind = this.pick(tree ? [...kinds, "copies"] : kinds);
    const query = this.#rows(keyHeads * group * queries, features, spread, queryOffset, kind);
    const key = this.#rows(keyHeads * keys, features, spread, keyOffset, kind);
    const value = this.#rows(keyHeads * keys, columns, size, size * valueOffset, kind);
    if (kind === "copies") this.#copyKeys(key, features, spread);
    if (kind === "needles") this.#hideNeedles(query, key, value, features, columns, spread, size);
    const words = `${kind}, logits ${logits.toPrecision(2)}, offsets ${
      [queryOffset, keyOffset, valueOffset].map(Math.round)
    }`;
    return {
      query: tensor(query, [1, keyHeads * group, queries, features]),
      key: tensor(key, [1, keyHeads, keys, features]),
      value: tensor(value, [1, keyHeads, keys, columns]),
      words,
    };
  }

  #rows(count: number, width: number, spread: number, offset: number, kind: string): Float32Array {
    const shared = Float64Array.from({ length: width }, () => offset * this.#stream.normal());
    const centres = Float64Array.from({ length: 8 * width }, () => 3 * this.#stream.normal());
    const rows = new Float32Array(count * width);
    for (let row = 0, at = 0; row < count; row++) {
      const cluster = this.integer(8) * width;
      for (let c = 0; c < width; c++, at++) {
        const own = kind === "ties"
          ? Math.round(this.#stream.normal())
          : kind === "clusters"
          ? centres[cluster + c] + 0.3 * this.#stream.normal()
          : this.#stream.normal();
        rows[at] = shared[c] + spread * (kind === "sink" && row === 0 ? 10 * own : own);
      }
    }
    return rows;
  }

  /** Keys become copies of few of them, but for a little. */
  #copyKeys(key: Float32Array, width: number, spread: number): void {
    const count = key.length / width, originals = 1 + this.integer(count / 6);
    const noise = this.coin() ? 0 : spread * this.between(1e-6, 0.01);
    for (let row = originals; row < count; row++) {
      const from = this.integer(originals) * width;
      for (let c = 0; c < width; c++) key[row * width + c] = key[from + c] + noise * this.#stream.normal();
    }
  }

  /** A few queries look to one key each, whose value lies far off. */
  #hideNeedles(
    query: Float32Array,
    key: Float32Array,
    value: Float32Array,
    features: number,
    columns: number,
    spread: number,
    size: number,
  ): void {
    for (let needle = 0; needle < 1 + this.integer(8); needle++) {
      const i = this.integer(query.length / features), j = this.integer(key.length / features);
      for (let c = 0; c < features; c++) {
        query[i * features + c] = key[j * features + c] = 6 * spread * this.#stream.normal();
      }
      for (let c = 0; c < columns; c++) value[j * columns + c] = 5 * size * this.#stream.normal();
    }
  }
}
