/** Hash tables of sign bits, and when a key counts as found. */
export interface TableShape {
  /** Sign bits of a table, K. */
  readonly bits: number;
  /** Tables, L. */
  readonly tables: number;
  /** Tables in which a key must share the bucket of a query. */
  readonly collisions: number;
}

/** ln of the least chance that a table is given: at the opposite direction there is none. */
const LEAST = -700;

/** ln of the chance (1 − θ/π)^K that a table has two rows in one bucket (Charikar 2002). */
function logShared(cosine: number, bits: number): number {
  return Math.max(LEAST, bits * Math.log1p(-Math.acos(cosine) / Math.PI));
}

/**
 * ln of the chance that at least so many of L tables have what each has with chance p: a binomial tail, summed from its least term, or
 * from what is missing to 1 where that is less, so that no chance is too small to divide by.
 *
 * @param logP ln p.
 */
export function logTail(logP: number, { tables, collisions }: TableShape): number {
  const p = Math.exp(logP);
  if (p >= 1) return 0;
  const logQ = Math.log1p(-p);
  // ln of the binomial coefficient of as many collisions as are asked for, and the sum of the terms below.
  let logChoices = 0, missing = 0;
  for (let t = 0; t < collisions; t++) {
    missing += Math.exp(logChoices + t * logP + (tables - t) * logQ);
    logChoices += Math.log((tables - t) / (t + 1));
  }
  if (missing < 0.5) return Math.log1p(-missing);
  let term = 1, sum = 1;
  for (let t = collisions; t < tables && term > 1e-17 * sum; t++) {
    term *= (tables - t) / (t + 1) * p / (1 - p);
    sum += term;
  }
  return logChoices + collisions * logP + (tables - collisions) * logQ + Math.log(sum);
}

/** Chances of a table at which tails are computed. */
const NODES = 1024;
/** Below ln(1/L) less this, a tail is its least term but for less than a thousandth of a thousandth. */
const BELOW = 14;

/** ln of chances to be found: between nodes by straight lines in ln p, in which tails of small p are straight. */
export class LogChances {
  readonly #shape: TableShape;
  readonly #step: number;
  readonly #nodes: Float64Array;

  constructor(shape: TableShape) {
    this.#shape = shape;
    this.#step = (Math.log(shape.tables) + BELOW) / NODES;
    this.#nodes = Float64Array.from({ length: NODES + 1 }, (_, at) => logTail(-at * this.#step, shape));
  }

  /** At an angle whose cosine is given, from −1 to 1. */
  at(cosine: number): number {
    const place = -logShared(cosine, this.#shape.bits) / this.#step, node = Math.floor(place);
    if (node >= NODES) return this.#nodes[NODES] - (place - NODES) * this.#step * this.#shape.collisions;
    return this.#nodes[node] + (place - node) * (this.#nodes[node + 1] - this.#nodes[node]);
  }
}
