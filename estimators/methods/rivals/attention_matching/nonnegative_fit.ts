/** Of the square of a column, what others must leave of it: less is a column that they make up. */
const DEPENDENT = 1e-10;
/** Of the norms of column and target, the product that counts as none. */
const NOTHING = 1e-10;

/**
 * The x >= 0 with the least ‖A x − y‖² + ridge Σ ‖a_s‖² x_s², by the active sets of Lawson and Hanson (1974) on the matrix of products of
 * columns, for an A that grows column by column.
 */
export class NonNegativeFit {
  readonly columns: Float64Array[] = [];
  /** Of each column, 0 for those that are not used. */
  readonly x: number[] = [];
  readonly #target: Float64Array;
  readonly #norm: number;
  readonly #ridge: number;
  readonly #gram: Float64Array[] = [];
  readonly #products: number[] = [];
  /** Columns in use, in the order of the rows of the factor. */
  #used: number[] = [];
  /** Rows of the Cholesky factor of the products of those. */
  #root: Float64Array[] = [];

  constructor(target: Float64Array, ridge: number) {
    this.#ridge = ridge;
    this.#target = target;
    this.#norm = Math.sqrt(dot(target, target));
  }

  /** How many columns are in use. */
  get used(): number {
    return this.#used.length;
  }

  /** Adds a column, not yet used. */
  add(column: Float64Array): void {
    const products = Float64Array.from(this.columns, (other) => dot(other, column));
    this.columns.push(column);
    this.x.push(0);
    this.#gram.push(Float64Array.of(...products, (1 + this.#ridge) * dot(column, column)));
    this.#products.push(dot(column, this.#target));
  }

  /** Uses whatever columns lessen the distance, and no others. */
  solve(): void {
    // Each step lessens it; only rounding can bring a column in and out again, and then this ends it.
    for (let step = 0; step < 3 * this.columns.length + 3; step++) {
      const best = this.#mostUseful();
      if (best === undefined) return;
      this.#use(best);
      this.#settle();
    }
  }

  /** A x − y, with the sign turned: what is left of the target. */
  residual(): Float64Array {
    const rest = this.#target.slice();
    for (const at of this.#used) {
      const column = this.columns[at], share = this.x[at];
      for (let i = 0; i < rest.length; i++) rest[i] -= share * column[i];
    }
    return rest;
  }

  #product(a: number, b: number): number {
    return a > b ? this.#gram[a][b] : this.#gram[b][a];
  }

  /** The column out of use whose product with the residual is the largest, if that is positive and others do not make it up. */
  #mostUseful(): number | undefined {
    let best: number | undefined, most = 0;
    for (let at = 0; at < this.columns.length; at++) {
      if (this.#used.includes(at)) continue;
      let slope = this.#products[at];
      for (const other of this.#used) slope -= this.#product(at, other) * this.x[other];
      if (slope <= most || slope <= NOTHING * Math.sqrt(this.#product(at, at)) * this.#norm) continue;
      if (this.#newRow(at) === undefined) continue;
      [best, most] = [at, slope];
    }
    return best;
  }

  /** The row that a column would add to the factor; undefined if the others make it up. */
  #newRow(at: number): Float64Array | undefined {
    const row = new Float64Array(this.#used.length + 1), own = this.#product(at, at);
    let rest = own;
    for (let i = 0; i < this.#used.length; i++) {
      let sum = this.#product(at, this.#used[i]);
      const root = this.#root[i];
      for (let t = 0; t < i; t++) sum -= root[t] * row[t];
      row[i] = sum / root[i];
      rest -= row[i] * row[i];
    }
    if (!(rest > DEPENDENT * own)) return undefined;
    row[this.#used.length] = Math.sqrt(rest);
    return row;
  }

  #use(at: number): void {
    this.#root.push(this.#newRow(at)!);
    this.#used.push(at);
  }

  /** Moves to the best x of the columns in use; those that would turn negative on the way go out of use. */
  #settle(): void {
    while (this.#used.length > 0) {
      const wanted = this.#unconstrained();
      let share = 1, first: number | undefined;
      this.#used.forEach((at, i) => {
        if (wanted[i] > 0) return;
        const own = this.x[at] / (this.x[at] - wanted[i]);
        if (own < share) [share, first] = [own, at];
      });
      this.#used.forEach((at, i) => this.x[at] += share * (wanted[i] - this.x[at]));
      if (first === undefined) return;
      this.#drop(new Set(this.#used.filter((at) => at === first || this.x[at] <= 0)));
    }
  }

  /** The x of the columns in use without the constraint. */
  #unconstrained(): Float64Array {
    const size = this.#used.length, x = Float64Array.from(this.#used, (at) => this.#products[at]);
    for (let i = 0; i < size; i++) {
      const root = this.#root[i];
      for (let t = 0; t < i; t++) x[i] -= root[t] * x[t];
      x[i] /= root[i];
    }
    for (let i = size - 1; i >= 0; i--) {
      const root = this.#root[i];
      x[i] /= root[i];
      for (let t = 0; t < i; t++) x[t] -= root[t] * x[i];
    }
    return x;
  }

  #drop(leaving: ReadonlySet<number>): void {
    const rest = this.#used.filter((at) => !leaving.has(at));
    for (const at of leaving) this.x[at] = 0;
    const kept = this.#used.findIndex((at) => leaving.has(at));
    this.#root = this.#root.slice(0, kept);
    this.#used = rest.slice(0, kept);
    for (const at of rest.slice(kept)) {
      if (this.#newRow(at)) this.#use(at);
      else this.x[at] = 0;
    }
  }
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}
