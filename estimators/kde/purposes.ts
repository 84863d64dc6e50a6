/** Streams of random numbers that the density estimators draw from; see `Purpose` of the generator. */
export const KdePurpose = {
  uniformSample: 256,
  tableSample: 257,
  hash: 258,
  bucketPick: 259,
  otherPoints: 260,
  cells: 261,
  pairs: 262,
  keys: 263,
} as const;
