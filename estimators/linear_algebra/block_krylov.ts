import { addRow, innerProduct } from "./gram_images.ts";
import { squaredLength } from "./lower_operator_norm.ts";
import { type Eigenpairs, symmetricEigenpairs } from "./symmetric_eigenpairs.ts";

/** What is left of a vector below this part of its image is rounding: the space is then closed in its direction. */
const CLOSED = 1e-12;

/**
 * Block Lanczos iteration (Golub and Van Loan, Matrix Computations, §10.3.6) on a symmetric positive semidefinite matrix A that only
 * its owner can multiply by: the owner takes `block`, and gives A times it to `absorb`. Every new vector is made orthogonal to all before it,
 * twice, so that what the theory says of exact arithmetic holds up to rounding.
 */
export class BlockKrylov {
  readonly #basis: Float64Array[] = [];
  /** Qᵀ A Q, by rows that grow. */
  readonly #projected: number[][] = [];
  #block: Float64Array[];
  /** [next block, this block]: what of the images leaves the space. */
  #coupling: number[][] = [];
  #steps = 0;
  #trace = 0;
  #pairs?: Eigenpairs;

  /** @param start Vectors of one length, not all zero. */
  constructor(start: readonly Float64Array[]) {
    const longest = Math.sqrt(start.reduce((most, vector) => Math.max(most, squaredLength(vector)), 0));
    this.#block = orthonormal(start.map((vector) => vector.slice()), [], CLOSED * longest).vectors;
  }

  /** Unit vectors whose images come next; none where the space is closed. */
  get block(): readonly Float64Array[] {
    return this.#block;
  }

  /** How many blocks have been absorbed. */
  get steps(): number {
    return this.#steps;
  }

  /** Takes A times each vector of the block; the images are overwritten. */
  absorb(images: readonly Float64Array[]): void {
    const first = this.#basis.length;
    this.#basis.push(...this.#block);
    images.forEach((image, at) => {
      const own = this.#basis.map((vector) => innerProduct(vector, image));
      this.#projected.push(own.slice(0, first + at + 1));
      this.#trace += own[first + at];
    });
    // Twice: what rounding leaves of the vectors before would come back.
    for (const image of images) {
      for (let pass = 0; pass < 2; pass++) {
        for (const vector of this.#basis) addRow(image, vector, -innerProduct(vector, image));
      }
    }
    const { vectors, factors } = orthonormal(images, this.#basis, CLOSED * Math.max(...this.#scale()));
    this.#block = vectors;
    this.#coupling = factors;
    this.#steps++;
    this.#pairs = undefined;
  }

  /** Trace of A on the space. */
  get trace(): number {
    return this.#trace;
  }

  /** Ritz values, the largest first: each is no larger than the eigenvalue of its rank. */
  get values(): Float64Array {
    return this.#solved().values;
  }

  /** ‖A y − θ y‖ of a Ritz pair: some eigenvalue lies that close to θ. */
  residual(rank: number): number {
    const order = this.#basis.length, last = this.#coupling[0]?.length ?? 0;
    const { vectors } = this.#solved();
    const tail = vectors.subarray((rank + 1) * order - last, (rank + 1) * order);
    return Math.sqrt(
      squaredLength(this.#coupling.map((row) => row.reduce((sum, x, c) => sum + x * tail[c], 0))),
    );
  }

  /** Frobenius norm of the part of A that leads out of the space. */
  get leaving(): number {
    return Math.sqrt(this.#coupling.reduce((sum, row) => sum + squaredLength(row), 0));
  }

  /** Ritz vector of unit length. */
  vector(rank: number): Float64Array {
    const order = this.#basis.length, { vectors } = this.#solved();
    const sum = new Float64Array(this.#basis[0].length);
    this.#basis.forEach((vector, at) => addRow(sum, vector, vectors[rank * order + at]));
    return sum;
  }

  /** A times the Ritz vector, from what is known of it. */
  image(rank: number): Float64Array {
    const image = this.vector(rank).map((x) => x * this.values[rank]);
    const order = this.#basis.length, last = this.#coupling[0]?.length ?? 0;
    const tail = this.#solved().vectors.subarray((rank + 1) * order - last, (rank + 1) * order);
    this.#block.forEach((vector, at) =>
      addRow(image, vector, this.#coupling[at].reduce((sum, x, c) => sum + x * tail[c], 0))
    );
    return image;
  }

  #scale(): number[] {
    return this.#projected.map((row) => Math.abs(row[row.length - 1]));
  }

  #solved(): Eigenpairs {
    if (!this.#pairs) {
      const order = this.#projected.length, matrix = new Float64Array(order * order);
      this.#projected.forEach((row, i) =>
        row.forEach((x, j) => matrix[i * order + j] = matrix[j * order + i] = x)
      );
      this.#pairs = symmetricEigenpairs(matrix, order);
    }
    return this.#pairs;
  }
}

/** Gram and Schmidt's within a block, twice; what comes to no more than `least` is dropped. factors[i][c]: part of vector i in image c. */
function orthonormal(
  images: readonly Float64Array[],
  before: readonly Float64Array[],
  least: number,
): { vectors: Float64Array[]; factors: number[][] } {
  const vectors: Float64Array[] = [], factors: number[][] = [];
  images.forEach((image, c) => {
    for (let pass = 0; pass < 2; pass++) {
      vectors.forEach((vector, i) => {
        const product = innerProduct(vector, image);
        factors[i][c] += product;
        addRow(image, vector, -product);
      });
      if (pass === 0) { for (const vector of before) addRow(image, vector, -innerProduct(vector, image)); }
    }
    const length = Math.sqrt(squaredLength(image));
    if (!(length > least)) return;
    vectors.push(image.map((x) => x / length));
    factors.push(images.map((_, other) => other === c ? length : 0));
  });
  return { vectors, factors };
}
