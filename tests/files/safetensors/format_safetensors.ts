import type { Tensor } from "../../../kernels/tensor.ts";

/** A tensor as the bytes of a .safetensors file have it. */
export interface RawTensor {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

/** The bytes of a .safetensors file, tensors in the order that they are given in. */
export function formatSafetensors(
  tensors: Readonly<Record<string, RawTensor>>,
  metadata?: Readonly<Record<string, string>>,
): Uint8Array<ArrayBuffer> {
  let at = 0;
  const entries = Object.entries(tensors).map(([name, { dtype, shape, bytes }]) => {
    at += bytes.length;
    return [name, { dtype, shape, data_offsets: [at - bytes.length, at] }];
  });
  const header = Object.fromEntries(metadata ? [["__metadata__", metadata], ...entries] : entries);
  return withHeader(JSON.stringify(header), join(Object.values(tensors).map(({ bytes }) => bytes)));
}

/** The bytes of a file with this text for its header, padded as writers pad it. */
export function withHeader(text: string, data: Uint8Array, length?: bigint): Uint8Array<ArrayBuffer> {
  const header = new TextEncoder().encode(text);
  const padded = new Uint8Array(Math.ceil(header.length / 8) * 8).fill(" ".charCodeAt(0));
  padded.set(header);
  const preamble = new DataView(new ArrayBuffer(8));
  preamble.setBigUint64(0, length ?? BigInt(padded.length), true);
  return join([new Uint8Array(preamble.buffer), padded, data]);
}

/** The bytes of f32 values, lowest byte first as every engine has them. */
export function floatBytes(values: ArrayLike<number>): Uint8Array {
  return new Uint8Array(Float32Array.from(values).buffer);
}

/** The bytes of f64 values. */
export function doubles(values: readonly number[]): Uint8Array {
  return new Uint8Array(Float64Array.from(values).buffer);
}

/** The bytes of words of 16 bits. */
export function words(bits: readonly number[]): Uint8Array {
  return new Uint8Array(Uint16Array.from(bits).buffer);
}

/** The bytes of integers of 64 bits. */
export function longs(values: readonly bigint[]): Uint8Array {
  return new Uint8Array(BigInt64Array.from(values).buffer);
}

/** Two tensors, and what the first of them is. */
export const q: RawTensor = { dtype: "F32", shape: [2, 2], bytes: floatBytes([1, 2, 3, 4]) };
export const k: RawTensor = { dtype: "F16", shape: [3, 2], bytes: words([0x3c00, 0, 0, 0, 0, 0x4000]) };
export const values: Tensor = { data: new Float32Array([1, 2, 3, 4]), shape: [2, 2] };

function join(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
