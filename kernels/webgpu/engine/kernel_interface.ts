import type { DeviceArray } from "../../backend.ts";

/** WGSL of the same functions twice: for every device, and for devices whose lanes exchange values in subgroups. */
export interface TwinSource {
  readonly plain: string;
  readonly subgroups: string;
}

/** A WGSL module; what it takes stands in its text, see `interfaceOf`. */
export interface Kernel {
  /** Name of the WGSL file that holds the entry points, and behind it what sets apart kernels that share it. */
  readonly file: string;
  /** What that file builds on, and last its own text. */
  readonly source: readonly (string | TwinSource)[];
}

/** How a kernel uses an array that is bound to it. */
export type Access = "read" | "write";

/** What a kernel takes, as its WGSL says. */
export interface KernelInterface {
  /** Fields of its block of parameters, in order. */
  readonly parameters: readonly { readonly name: string; readonly type: string }[];
  /** Arrays that it binds, from binding 1 on; binding 0 is the block of parameters. */
  readonly bindings: readonly { readonly name: string; readonly access: Access }[];
}

const known = new WeakMap<Kernel, KernelInterface>();

/** Reads off the source what a kernel takes, once. */
export function interfaceOf(kernel: Kernel): KernelInterface {
  let found = known.get(kernel);
  if (!found) {
    const source = kernel.source.map((part) => typeof part === "string" ? part : part.plain + part.subgroups)
      .join("\n");
    found = { parameters: parametersIn(source), bindings: bindingsIn(source) };
    known.set(kernel, found);
  }
  return found;
}

function parametersIn(source: string): KernelInterface["parameters"] {
  const [, block = ""] = /\bstruct Parameters \{([^}]*)\}/.exec(source) ?? [];
  const fields = block.replace(/\/\/.*/g, "").matchAll(/(\w+)\s*:\s*(\w+)/g);
  return [...fields].map(([, name, type]) => ({ name, type }));
}

function bindingsIn(source: string): KernelInterface["bindings"] {
  const found = source.matchAll(/@binding\((\d+)\)\s*var<storage,\s*(\w+)>\s*(\w+)/g);
  return [...found]
    .map(([, place, access, name]) => ({ place: Number(place), name, access }))
    .sort((a, b) => a.place - b.place)
    .map(({ name, access }) => ({ name, access: access === "read" ? "read" : "write" }));
}

/** Parameters by name as the 32-bit words of a kernel's block. */
export function parameterWords(kernel: Kernel, values: Readonly<Record<string, number>>): Uint32Array {
  const { parameters } = interfaceOf(kernel), words = new Uint32Array(parameters.length);
  const floats = new Float32Array(words.buffer);
  checkNames(kernel, "parameter", parameters, values);
  parameters.forEach(({ name, type }, at) => (type === "f32" ? floats : words)[at] = values[name]);
  return words;
}

/** Arrays by name in the order of a kernel's bindings; `undefined` stands for one that it never reads. */
export function boundArrays(
  kernel: Kernel,
  arrays: Readonly<Record<string, DeviceArray | undefined>>,
): (DeviceArray | undefined)[] {
  const { bindings } = interfaceOf(kernel);
  checkNames(kernel, "binding", bindings, arrays);
  return bindings.map(({ name }) => arrays[name]);
}

function checkNames(
  { file }: Kernel,
  what: string,
  wanted: readonly { readonly name: string }[],
  given: Readonly<Record<string, unknown>>,
): void {
  const missing = wanted.find(({ name }) => !(name in given));
  if (missing) throw new TypeError(`Cannot run ${file}: ${what} ${missing.name} is missing`);
  const names = Object.keys(given);
  if (names.length === wanted.length) return;
  const unknown = names.find((name) => !wanted.some((field) => field.name === name));
  throw new TypeError(`Cannot run ${file}: it has no ${what} ${unknown}`);
}
