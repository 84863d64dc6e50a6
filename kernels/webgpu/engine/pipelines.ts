import { declareConstants } from "./constants.ts";
import type { Kernel } from "./kernel.ts";
import { KernelError } from "./kernel_error.ts";
import { interfaceOf } from "./kernel_interface.ts";
import { unroll } from "./unroll.ts";

/** One specialisation of a kernel. */
export interface Specialisation {
  readonly kernel: Kernel;
  readonly entryPoint?: string;
  /**
   * `const` declarations put before the source, for array sizes in function scope, which `override` cannot be;
   * loops over them are written out, see `unroll`.
   */
  readonly definitions?: Readonly<Record<string, number>>;
  /** What the type `Element` stands for in kernels that move rows. */
  readonly element?: "f32" | "vec4f";
  /** Values of `override` constants. */
  readonly constants?: Readonly<Record<string, number>>;
}

/** Compiles each variant of a kernel once, in parallel with the recording and with the other variants. */
export class PipelineCache {
  readonly #device: GPUDevice;
  readonly #subgroups: boolean;
  readonly #modules = new Map<string, { module: GPUShaderModule; check: Promise<void> }>();
  readonly #layouts = new Map<string, GPUBindGroupLayout>();
  readonly #pipelines = new Map<string, Promise<GPUComputePipeline>>();

  /** With `subgroups` kernels take that twin of their sources, which the device must have the feature for. */
  constructor(device: GPUDevice, subgroups: boolean) {
    this.#device = device;
    this.#subgroups = subgroups;
  }

  /** The pipeline of a variant; rejects with a {@link KernelError} when the device refuses it. */
  pipeline(specialisation: Specialisation): Promise<GPUComputePipeline> {
    const { kernel, entryPoint = "main", element = "", definitions = {}, constants = {} } = specialisation;
    const values = JSON.stringify({ ...definitions, ...constants });
    const key = [kernel.file, entryPoint, element, values].join(" ");
    let pipeline = this.#pipelines.get(key);
    if (!pipeline) {
      pipeline = this.#compile(specialisation, key);
      // The rejection is reported by `run`; until then it must not count as unhandled.
      pipeline.catch(() => {});
      this.#pipelines.set(key, pipeline);
    }
    return pipeline;
  }

  /** The layout of a kernel's bindings. Explicit, since an automatic one leaves out what a variant does not use. */
  layout(kernel: Kernel): GPUBindGroupLayout {
    const access = interfaceOf(kernel).bindings.map((binding) => binding.access), key = access.join(" ");
    let layout = this.#layouts.get(key);
    if (!layout) {
      const types = access.map((a): GPUBufferBindingType => a === "read" ? "read-only-storage" : "storage");
      layout = this.#device.createBindGroupLayout({
        label: key,
        entries: (["uniform", ...types] as GPUBufferBindingType[]).map((type, binding) => ({
          binding,
          visibility: GPUShaderStage.COMPUTE,
          buffer: { type },
        })),
      });
      this.#layouts.set(key, layout);
    }
    return layout;
  }

  async #compile(specialisation: Specialisation, label: string): Promise<GPUComputePipeline> {
    const { kernel, entryPoint = "main", element, definitions = {}, constants = {} } = specialisation;
    const defined = Object.entries(definitions).map(([name, value]) => `const ${name} = ${value}u;\n`);
    if (element) defined.push(`alias Element = ${element};\n`);
    const twins = this.#subgroups && kernel.source.some((part) => typeof part !== "string");
    const parts = kernel.source.map((part) =>
      typeof part === "string" ? part : this.#subgroups ? part.subgroups : part.plain
    );
    const source = parts.join("\n");
    const code = (twins ? "enable subgroups;\n" : "") + defined.join("") + declareConstants(source) +
      unroll(source, definitions);
    const { module, check } = this.#module(kernel.file, code);
    await check;
    const descriptor: GPUComputePipelineDescriptor = {
      label,
      layout: this.#device.createPipelineLayout({ bindGroupLayouts: [this.layout(kernel)] }),
      compute: { module, entryPoint, constants: { ...constants } },
    };
    try {
      return await this.#device.createComputePipelineAsync(descriptor);
    } catch (cause) {
      throw new KernelError(`Cannot build the pipeline ${label}: ${(cause as Error).message}`, { cause });
    }
  }

  #module(file: string, code: string): { module: GPUShaderModule; check: Promise<void> } {
    let entry = this.#modules.get(code);
    if (!entry) {
      this.#device.pushErrorScope("validation");
      const module = this.#device.createShaderModule({ label: file, code });
      const check = checkModule(module, file, code, this.#device.popErrorScope());
      check.catch(() => {});
      entry = { module, check };
      this.#modules.set(code, entry);
    }
    return entry;
  }
}

/** Reports what the compiler refused as file, line, column, message and source line. */
async function checkModule(
  module: GPUShaderModule,
  file: string,
  code: string,
  scope: Promise<GPUError | null>,
): Promise<void> {
  const [error, info] = await Promise.all([scope, module.getCompilationInfo()]);
  const lines = code.split("\n");
  const refused = info.messages.filter(({ type }) => type === "error").map((message) => {
    const line = lines[message.lineNum - 1] ?? "";
    return `${file}:${message.lineNum}:${message.linePos}: ${message.message}\n  ${line.trim()}`;
  });
  if (refused.length > 0) throw new KernelError(`Cannot compile ${refused.join("\n")}`);
  if (error) throw new KernelError(`Cannot compile ${file}: ${error.message}`);
}
