import type { Backend } from "../../../../kernels/backend.ts";
import { deviceProducts, type HostRows } from "../shared/device_products.ts";
import { drawDirections } from "../shared/random_directions.ts";
import type { TableShape } from "./chance.ts";
import type { Geometry } from "./geometry.ts";

/** Sign bits of the queries and of the keys of a head, so many for each row. */
export interface HashedHead {
  readonly queryBits: Uint8Array;
  readonly keyBits: Uint8Array;
  readonly perRow: number;
}

/** Hashes a head by so many hyperplanes. */
export async function hashHead(
  backend: Backend,
  { width, query, key }: Geometry,
  perRow: number,
  seed: number,
  head: number,
  signal?: AbortSignal,
): Promise<HashedHead> {
  const hyperplanes = { data: drawDirections(seed, head, perRow, width), count: perRow };
  const bitsOf = (data: Float32Array) =>
    signBits(backend, { data, count: data.length / width }, hyperplanes, width, signal);
  return { queryBits: await bitsOf(query), keyBits: await bitsOf(key), perRow };
}

/** Sign bits of rows: [rows, bits], 1 where the product with a hyperplane is above 0. */
async function signBits(
  backend: Backend,
  rows: HostRows,
  hyperplanes: HostRows,
  width: number,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  const bits = new Uint8Array(rows.count * hyperplanes.count);
  for await (const { first, products } of deviceProducts(backend, rows, hyperplanes, width, signal)) {
    const start = first * hyperplanes.count;
    for (let at = 0; at < products.length; at++) bits[start + at] = products[at] > 0 ? 1 : 0;
  }
  return bits;
}

/** Codes of rows in one table: its bits of each row, read as a number. */
export function codesOf(
  bits: Uint8Array,
  perRow: number,
  table: number,
  { bits: width }: TableShape,
): Uint32Array {
  const codes = new Uint32Array(bits.length / perRow);
  for (let row = 0; row < codes.length; row++) {
    let code = 0;
    for (let at = row * perRow + table * width, end = at + width; at < end; at++) code = code << 1 | bits[at];
    codes[row] = code >>> 0;
  }
  return codes;
}

/** Keys of one table, by the last bits of their codes. */
interface Table {
  readonly queryCodes: Uint32Array;
  readonly keyCodes: Uint32Array;
  /** Where the keys of each ending start in `order`. */
  readonly starts: Uint32Array;
  readonly order: Uint32Array;
}

/** Finds the keys that share the bucket of a query in enough tables. */
export class Tables {
  readonly #tables: readonly Table[];
  readonly #shape: TableShape;
  readonly #met: Uint16Array;

  /** From sign bits of which the tables take their shares one after another. */
  constructor({ queryBits, keyBits, perRow }: HashedHead, shape: TableShape) {
    this.#shape = shape;
    this.#tables = Array.from({ length: shape.tables }, (_, table) => {
      const [queryCodes, keyCodes] = [queryBits, keyBits].map((bits) => codesOf(bits, perRow, table, shape));
      return { queryCodes, keyCodes, ...byEnding(keyCodes, shape.bits) };
    });
    this.#met = new Uint16Array(keyBits.length / perRow);
  }

  /** Writes the keys from `first` to `beyond` that a query finds, and returns their number. */
  find(query: number, [first, beyond]: readonly [number, number], into: Uint32Array): number {
    const met = this.#met, { collisions } = this.#shape;
    let count = 0;
    met.fill(0);
    for (const { queryCodes, keyCodes, starts, order } of this.#tables) {
      const code = queryCodes[query], ending = code & (starts.length - 2);
      for (let at = starts[ending], end = starts[ending + 1]; at < end; at++) {
        const j = order[at];
        if (keyCodes[j] === code && j >= first && j < beyond && ++met[j] === collisions) into[count++] = j;
      }
    }
    return count;
  }
}

/** Keys sorted by as many last bits of their codes as there are keys to tell apart. */
function byEnding(codes: Uint32Array, bits: number): Pick<Table, "starts" | "order"> {
  const endings = 2 ** Math.min(bits, Math.ceil(Math.log2(codes.length + 1)));
  const starts = new Uint32Array(endings + 1), order = new Uint32Array(codes.length);
  for (const code of codes) starts[(code & (endings - 1)) + 1]++;
  for (let at = 0; at < endings; at++) starts[at + 1] += starts[at];
  const next = starts.slice();
  codes.forEach((code, j) => order[next[code & (endings - 1)]++] = j);
  return { starts, order };
}
