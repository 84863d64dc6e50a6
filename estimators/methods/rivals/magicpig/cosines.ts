import type { RandomStream } from "../../../../kernels/random.ts";
import { LogChances, type TableShape } from "./chance.ts";
import type { Geometry } from "./geometry.ts";

/** Angles that a histogram tells apart. */
const ANGLES = 1000;

/** How many pairs have each cosine, in steps of a thousandth of π. */
export class Cosines {
  readonly #counts = new Float64Array(ANGLES);
  #pairs = 0;

  /** Counts a pair. */
  add(cosine: number): void {
    this.#counts[Math.min(ANGLES - 1, Math.floor(Math.acos(cosine) / Math.PI * ANGLES))]++;
    this.#pairs++;
  }

  /** The share of pairs that are found, in the mean. */
  share(shape: TableShape): number {
    const chances = new LogChances(shape), middle = (at: number) => Math.cos((at + 0.5) / ANGLES * Math.PI);
    return this.#counts.reduce(
      (sum, count, at) => count === 0 ? sum : sum + count / this.#pairs * Math.exp(chances.at(middle(at))),
      0,
    );
  }

  /** The most tables, but no more than so many, at which no more than this share is found. */
  tablesFor(shape: Omit<TableShape, "tables">, share: number, most: number): number {
    let low = shape.collisions, high = most;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if (this.share({ ...shape, tables: middle }) <= share) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

/** Rows whose pairs are looked at. */
const SAMPLE = { queries: 64, keys: 4096 };

/** Cosines of the pairs of some queries and keys, as they are hashed, and how many products these took. */
export function someCosines(
  { width, query, key }: Pick<Geometry, "width" | "query" | "key">,
  stream: RandomStream,
): { readonly cosines: Cosines; readonly products: number } {
  const pick = (rows: Float32Array, count: number) =>
    stream.distinct(Math.min(count, rows.length / width), rows.length / width);
  const queries = pick(query, SAMPLE.queries), keys = pick(key, SAMPLE.keys), cosines = new Cosines();
  for (const i of queries) {
    for (const j of keys) {
      let product = 0, ofQuery = 0, ofKey = 0;
      for (let c = 0; c < width; c++) {
        const x = query[i * width + c], y = key[j * width + c];
        product += x * y;
        ofQuery += x * x;
        ofKey += y * y;
      }
      const lengths = Math.sqrt(ofQuery) * Math.sqrt(ofKey);
      cosines.add(lengths > 0 ? Math.max(-1, Math.min(1, product / lengths)) : 0);
    }
  }
  return { cosines, products: queries.length * keys.length };
}
