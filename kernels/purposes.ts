/**
 * What streams of random numbers are used for. Streams of different purposes never overlap, which is what makes draws
 * independent of one another: a certificate is sound only if what it draws is independent of the method that it checks.
 * Therefore nobody deals out a number of a purpose elsewhere; numbers stay what they are, or results of a seed change.
 */
export const Purpose = {
  /** Hyperplanes of the angular hash. */
  hyperplanes: 1,
  /** Queries whose exact rows a method looks at. */
  probes: 2,
  /** Keys that a method samples. */
  samples: 3,
  /** Inputs. */
  data: 4,
  /** Queries from which a certificate learns in which direction a softmax matrix is large. */
  certificate: 5,
  /** Signs of a sketch. */
  sketch: 6,
  /** Which keys stand for all, in methods of others. */
  coreset: 7,
  /** Directions of random features and of the hashes of methods of others. */
  features: 8,
  /** Rows and keys that methods of others choose: first centres of k-means, keys of a sample, priorities. */
  choice: 9,

  // Robust attention.
  /** Pairs of keys whose distances give a bandwidth. */
  bandwidthPairs: 128,
  /** Keys that stand for all in row means of a kernel matrix. */
  rowMeans: 129,
  /** Blocks of keys of which the median counts. */
  medianBlocks: 130,

  // Densities.
  uniformSample: 256,
  tableSample: 257,
  hash: 258,
  bucketPick: 259,
  otherPoints: 260,
  cells: 261,
  pairs: 262,
  keys: 263,
  /** Seeds of the products of an iteration. */
  products: 264,
  /** Starts of Lanczos' iteration, and rows of a softmax matrix that its spectrum is told from. */
  krylov: 265,
  spectrumRows: 266,

  // Verification.
  bootstrap: 512,
  sampledProduct: 600,
  spoiltRows: 700,
  hashPairs: 710,
  /** Stretches and heads of real inputs. */
  stretch: 720,
  head: 721,
  sampledRows: 730,
  search: 740,
  singularVector: 750,

  // The method of the published code, beside which this one is measured.
  publishedHash: 2302,
  publishedSamples: 2303,
} as const;
/** One of the values of {@link Purpose}, or of the purposes of {@link PurposeRange}. */
export type Purpose = number;

/** Purposes of which there is one for each round of something: `count` numbers from `first` on. */
export const PurposeRange = {
  /** Rows that a certificate checks, fresh ones in each round. */
  certificateRows: { first: 0x10001, count: 0xffff },
} as const;

/**
 * The purpose of a round.
 *
 * @throws {RangeError} If there is none for it.
 */
export function purposeOfRound(range: keyof typeof PurposeRange, round: number): Purpose {
  const { first, count } = PurposeRange[range];
  if (!(Number.isInteger(round) && round >= 0 && round < count)) {
    throw new RangeError(
      `Cannot draw random numbers: round must be an integer from 0 to ${
        count - 1
      }: current value is ${round}`,
    );
  }
  return first + round;
}
