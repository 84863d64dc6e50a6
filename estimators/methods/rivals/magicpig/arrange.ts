import type { RandomStream } from "../../../../kernels/random.ts";
import type { TableShape } from "./chance.ts";
import { codesOf, type HashedHead } from "./tables.ts";

/** Queries and keys whose pairs say how many keys are found. */
const SAMPLE = { queries: 32, keys: 2048 };
/** Sign bits of a table at most: one word. */
const MOST_BITS = 32;

/**
 * The fewest bits for each table, hence the most tables of the sign bits that there are, at which queries find no more than so many keys
 * in the mean, by pairs of some queries and keys. Their bits are known, so that this takes no product.
 */
export function arrangeBits(
  { queryBits, keyBits, perRow }: HashedHead,
  collisions: number,
  most: number,
  stream: RandomStream,
): TableShape {
  const some = (bits: Uint8Array, count: number) => {
    const rows = bits.length / perRow, picked = stream.distinct(Math.min(count, rows), rows);
    const taken = new Uint8Array(picked.length * perRow);
    picked.forEach((row, at) => taken.set(bits.subarray(row * perRow, (row + 1) * perRow), at * perRow));
    return taken;
  };
  const ofQueries = some(queryBits, SAMPLE.queries), ofKeys = some(keyBits, SAMPLE.keys);
  const pairs = ofQueries.length / perRow * (ofKeys.length / perRow), keys = keyBits.length / perRow;
  const widest = Math.min(MOST_BITS, Math.max(1, Math.floor(perRow / collisions)));
  for (let bits = 1; bits < widest; bits++) {
    const shape = { bits, tables: Math.floor(perRow / bits), collisions };
    if (countFound(ofQueries, ofKeys, perRow, shape) / pairs * keys <= most) return shape;
  }
  return { bits: widest, tables: Math.max(collisions, Math.floor(perRow / widest)), collisions };
}

/** Pairs that meet in enough tables. */
function countFound(queryBits: Uint8Array, keyBits: Uint8Array, perRow: number, shape: TableShape): number {
  const queries = queryBits.length / perRow,
    keys = keyBits.length / perRow,
    met = new Uint16Array(queries * keys);
  let found = 0;
  for (let table = 0; table < shape.tables; table++) {
    const ofQueries = codesOf(queryBits, perRow, table, shape),
      ofKeys = codesOf(keyBits, perRow, table, shape);
    for (let i = 0; i < queries; i++) {
      for (let j = 0; j < keys; j++) {
        if (ofQueries[i] === ofKeys[j] && ++met[i * keys + j] === shape.collisions) found++;
      }
    }
  }
  return found;
}
