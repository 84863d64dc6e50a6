import { type DataPackage, importPackage } from "../data_package.ts";
import type { WorkloadOptions } from "../workload.ts";

/** ONNX Runtime as WebAssembly, MIT. */
const RUNTIME_PACKAGE: DataPackage = { name: "onnxruntime-web", version: "1.30.0", megabytes: 139 };

/** A tensor of the runtime. */
export interface OnnxTensor {
  readonly data: Float32Array;
  readonly dims: readonly number[];
}

/** A model of one input, made ready to run. */
export interface OnnxModel {
  /** Runs on the input's values and extents; gives the outputs by name. */
  run(data: Float32Array, dims: readonly number[]): Promise<Record<string, OnnxTensor>>;
  /** Gives back the model's memory. */
  release(): Promise<void>;
}

interface Session {
  readonly inputNames: readonly string[];
  run(feeds: Readonly<Record<string, OnnxTensor>>): Promise<Record<string, OnnxTensor>>;
  release(): Promise<void>;
}

interface Runtime {
  readonly env: { readonly wasm: { numThreads: number } };
  readonly InferenceSession: {
    create(model: Uint8Array, options: { executionProviders: string[] }): Promise<Session>;
  };
  readonly Tensor: new (type: "float32", data: Float32Array, dims: readonly number[]) => OnnxTensor;
}

/**
 * Makes a model ready to run, on one thread: the runtime's other threads would keep the program from ending.
 *
 * @throws {Error} If the runtime can neither be found nor fetched.
 */
export async function openModel(
  model: Uint8Array,
  hooks: Pick<WorkloadOptions, "onProgress" | "signal"> = {},
): Promise<OnnxModel> {
  const runtime = await importPackage(RUNTIME_PACKAGE, hooks) as Runtime;
  runtime.env.wasm.numThreads = 1;
  const session = await runtime.InferenceSession.create(model, { executionProviders: ["wasm"] });
  return {
    run: (data, dims) => session.run({ [session.inputNames[0]]: new runtime.Tensor("float32", data, dims) }),
    release: () => session.release(),
  };
}
