import type { AttendArguments, Backend, DeviceArray, DeviceKind } from "../../kernels/backend.ts";
import type { PrimitiveName } from "../../kernels/primitives.ts";
import { Purpose, RandomStream } from "../../kernels/random.ts";

/** What bounds a kernel, and so what it is measured by. */
export type Unit = "GFLOP/s" | "GB/s";

/** One kernel at one shape. */
export interface KernelCase {
  readonly name: string;
  readonly shape: string;
  readonly unit: Unit;
  /** The only kind of device that has it; all by default. */
  readonly on?: DeviceKind;
  /** Multiplications and additions, or bytes read and written; of one product where `record` gives an array. */
  readonly work: number;
  /** Uploads the input; what it returns records the kernel once, and gives words that add up to the products done. */
  readonly prepare: (backend: Backend) => () => DeviceArray | void;
}

/** The cases of some primitives. */
export type KernelCases<Names extends PrimitiveName> = {
  readonly [Name in Names]: readonly [KernelCase, ...KernelCase[]];
};

/** The sizes of T2T-ViT's first layer, a batch of 8, and the budget that the published code has for it. */
export const HEADS = 8, ROWS = 3136, WIDTH = 64, BLOCKS = 98, SAMPLES = 98, PROBES = 16, PROJECTIONS = 7;
/** Bytes of a 32-bit value for each row of every head, and for each entry of such rows. */
export const COLUMN_BYTES: number = 4 * HEADS * ROWS, MATRIX_BYTES: number = COLUMN_BYTES * WIDTH;
/** Those sizes in words. */
export const SIZE: string = `${HEADS} × ${ROWS}, d = ${WIDTH}`;

/** Values made before: every round uploads them again. */
const made = new Map<string, Float32Array | Uint32Array>();

function upload<T extends Float32Array | Uint32Array>(
  backend: Backend,
  name: string,
  number: number,
  make: (random: RandomStream) => T,
): DeviceArray {
  const key = `${name} ${number}`;
  const data = made.get(key) ?? make(new RandomStream(7, Purpose.data, number));
  made.set(key, data);
  return backend.upload(data);
}

/** Normal values; the same number gives the same. */
export function normals(backend: Backend, number: number, length: number): DeviceArray {
  const make = (random: RandomStream) => Float32Array.from({ length }, () => random.normal());
  return upload(backend, `normals ${length}`, number, make);
}

/** Values between 0 and 1. */
export function positive(backend: Backend, number: number, length: number): DeviceArray {
  const make = (random: RandomStream) => Float32Array.from({ length }, () => random.uniform());
  return upload(backend, `positive ${length}`, number, make);
}

/** Words below a bound. */
export function words(backend: Backend, number: number, length: number, bound: number): DeviceArray {
  const make = (random: RandomStream) => Uint32Array.from({ length }, () => random.integer(bound));
  return upload(backend, `words ${length} ${bound}`, number, make);
}

/** A permutation of the rows of every head. */
export function permutation(backend: Backend, number: number): DeviceArray {
  return upload(backend, "permutation", number, (random) => {
    const all = new Uint32Array(HEADS * ROWS);
    for (let head = 0; head < HEADS; head++) all.set(random.distinct(ROWS, ROWS), head * ROWS);
    return all;
  });
}

/** Rows of every head, as most primitives take them. */
interface Rows {
  readonly rows: DeviceArray;
  readonly heads: number;
  readonly count: number;
  readonly width: number;
}

/** Rows of every head. */
export function rows(backend: Backend): Rows {
  return { rows: normals(backend, 0, HEADS * ROWS * WIDTH), heads: HEADS, count: ROWS, width: WIDTH };
}

/** Queries, keys and values. */
export function problem(
  backend: Backend,
  heads: number,
  queries: number,
  keys: number,
  features: number,
  valueFeatures: number,
): AttendArguments {
  return {
    heads,
    queries,
    keys,
    features,
    valueFeatures,
    scale: 1 / Math.sqrt(features),
    query: normals(backend, 0, heads * queries * features),
    key: normals(backend, 1, heads * keys * features),
    value: normals(backend, 2, heads * keys * valueFeatures),
  };
}
