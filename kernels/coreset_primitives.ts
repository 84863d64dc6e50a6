import type { AttentionShape, DeviceArray, PartialAttention } from "./device_array.ts";

export {
  CUT_SAMPLE,
  GOLDEN_SECTION,
  LEAST_COLUMN,
  LEAST_MASS,
  LEAST_TOTAL,
  NEGLIGIBLE_SCATTER,
  PIVOT_CANDIDATES,
  RIDGE,
  USELESS,
} from "./constants.ts";

/** Clusters of rows: see {@link Backend.bisectRows}. */
export interface Bisection {
  /** [heads, count] words: the cluster of each row, numbered from 0. */
  readonly labels: DeviceArray;
  /** [heads] words: clusters of each head. */
  readonly clusters: DeviceArray;
  /** [heads] words: products that they took. */
  readonly products: DeviceArray;
  /** [heads, others.count] words: the clusters that `others` come to; of length 0 where there are none. */
  readonly others: DeviceArray;
}

/** Rows that descend a tree of other rows, row x as treeCentre + scale · (x − centre): see {@link Backend.bisectRows}. */
export interface OtherRows {
  /** [heads, count, width] */
  readonly rows: DeviceArray;
  /** Rows of each head. */
  readonly count: number;
  /** [heads, width] */
  readonly centre: DeviceArray;
  /** [heads], positive. */
  readonly scale: DeviceArray;
  /** [heads, width] */
  readonly treeCentre: DeviceArray;
}

/** Weighted points that stand for the keys of each head: see {@link Backend.fitPoints}. */
export interface FittedPoints {
  /** [heads, most, features] */
  readonly key: DeviceArray;
  /** [heads, most, valueFeatures] */
  readonly value: DeviceArray;
  /** [heads, most]: logarithm of the mass of each; EMPTY beyond the clusters of a head. */
  readonly logMass: DeviceArray;
  /** [heads, probes, most]: logits of the probes with the points, logarithm of the mass included. */
  readonly logits: DeviceArray;
}

/** The one point that stands for all keys of each head, as points of one cluster: see {@link Backend.fitCentre}. */
export type FittedCentre = Pick<FittedPoints, "key" | "value" | "logMass">;

/** A linear function of the query: see {@link Backend.fitSlope}. */
export interface FittedSlope {
  /** [heads, features, valueFeatures] numbers, in an order that is for `addLinear` of the same device alone to know. */
  readonly slope: DeviceArray;
  /** [heads, valueFeatures] */
  readonly offset: DeviceArray;
  /** [heads, probes, valueFeatures]: the exact outputs of the probes less what the function gives. */
  readonly output: DeviceArray;
}

/** What a calibrated coreset asks of a device: exact rows, clusters, points for them, and values fitted to the rows. */
export interface CoresetPrimitives {
  /**
   * Attention of few queries that keeps their softmax probabilities [heads, queries, keys]: what `attend` and `softmaxRows` give,
   * at the cost of one.
   */
  attendProbes(
    args: AttentionShape & {
      readonly query: DeviceArray;
      readonly key: DeviceArray;
      readonly value: DeviceArray;
      readonly scale: number;
    },
  ): PartialAttention & { readonly probabilities: DeviceArray };

  /**
   * Clusters the rows of each head by a tree of hyperplanes, grown on some of them: with every = ⌈count/grownOn⌉, one of each
   * part of `every` rows ({@link GOLDEN_SECTION}). The cluster with the largest weighted scatter Σ w‖x − mean‖² is cut, again and again, by a hyperplane
   * half-way between the weighted means of two halves of a sample of its members: those on either side of the cluster's
   * weighted mean, seen along the line to the pivot, the candidate with the largest w‖x − mean‖². Sample and candidates are
   * one of each ⌈size/most⌉ members in the order of the rows, taken in the same way, most = CUT_SAMPLE or PIVOT_CANDIDATES. All other rows
   * then descend the tree. A cut costs one inner product for each row that its members stand for, for each of the
   * sample and for each candidate; these are its products. Cutting ends before products + clusters · perCluster would exceed `budget`, or when no
   * scatter exceeds NEGLIGIBLE_SCATTER times that of all. The near half keeps the number of its cluster, and
   * the far half gets the next. `weights` [heads, count] must be positive; budget < 2^32; grownOn >= 1. `others` descend
   * the tree as well; what that takes is not among the products.
   */
  bisectRows(args: {
    /** [heads, count, width] */
    readonly rows: DeviceArray;
    readonly weights: DeviceArray;
    readonly heads: number;
    readonly count: number;
    readonly width: number;
    readonly grownOn: number;
    readonly budget: number;
    readonly perCluster: number;
    readonly others?: OtherRows;
  }): Bisection;

  /**
   * One point for each cluster of keys, fitted to some queries, the probes, of which the first `fitted` have known softmax
   * rows P and count ω_i: 1 for the first `even` of them, `otherWeight` for the rest. The point of cluster s lies at
   * the mean κ_s of its keys under the masses LEAST_MASS + Σ_i ω_i P_ij. Key j of the cluster gets the mass g_j with which
   * the point's column of exponentials F_is = e^{scale·<q_i, κ_s> − logSumExp_i} comes closest to the key's own:
   * g_j = Σ ω_i F_is P_ij / Σ ω_i F_is². The point has the sum of these masses, and the mean of the values under them; where
   * all F_is P_ij underflow, both are those that match Σ_i ω_i P_ij. 1 <= fitted <= probes. Beyond the clusters of a head, points lie at 0, with
   * values 0.
   */
  fitPoints(args: {
    /** [heads, keys, features] */
    readonly key: DeviceArray;
    /** [heads, keys, valueFeatures] */
    readonly value: DeviceArray;
    /** [heads, probes, features] */
    readonly query: DeviceArray;
    /** [heads, probes]: of the logits of all keys. */
    readonly logSumExp: DeviceArray;
    /** [heads, probes, keys] */
    readonly probabilities: DeviceArray;
    /** Clusters of the keys, none of them empty. */
    readonly labels: DeviceArray;
    readonly clusters: DeviceArray;
    /** [heads, keys] words: the keys in the order of their clusters. */
    readonly order: DeviceArray;
    readonly heads: number;
    readonly keys: number;
    readonly features: number;
    readonly valueFeatures: number;
    readonly probes: number;
    readonly fitted: number;
    readonly even: number;
    readonly otherWeight: number;
    /** Points of each head that there is room for; no fewer than its clusters. */
    readonly most: number;
    readonly scale: number;
  }): FittedPoints;

  /**
   * Values of fitted points [heads, most, valueFeatures], calibrated by ridge regression of what they leave of the exact
   * outputs of the probes. With the softmax rows A [probes, points] of the logits, centred values z and centred outputs y,
   * and each of the first `fitted` probes weighted by √ω_i (ω as for `fitPoints`): columns are divided by the root of their root mean
   * square, which counts as no less than LEAST_COLUMN times the largest of these, so that a point which the probes hardly see moves more
   * easily than its share, but not as easily as all others; G = A Aᵀ, X = (G + RIDGE · mean diagonal · I)⁻¹; the correction is Aᵀ X (y − A z).
   * It is dropped if the sum of the squares of the left-out residuals (X (y − A z))_i / X_ii is not below that of y − A z. No value,
   * its mean added, comes out beyond ±largestValue.
   *
   * The other probes judge: where the squared error of their outputs exceeds USELESS² times that of the mean value, all centred
   * values are multiplied by the least-squares factor, within [0, 1], the least over leaving out one probe at a time, so that no
   * single one speaks for a fit that fails on the others. Beyond the clusters of a head values are 0.
   */
  calibrateValues(args: {
    /** As from `fitPoints`. */
    readonly logits: DeviceArray;
    readonly value: DeviceArray;
    /** [heads] words: points of each head. */
    readonly clusters: DeviceArray;
    /** [heads, probes, valueFeatures]: exact attention of the probes. */
    readonly output: DeviceArray;
    /** [heads, valueFeatures]: of the values of all keys. */
    readonly mean: DeviceArray;
    readonly heads: number;
    readonly valueFeatures: number;
    readonly probes: number;
    readonly fitted: number;
    readonly even: number;
    readonly otherWeight: number;
    readonly most: number;
    readonly largestValue: number;
  }): DeviceArray;

  /**
   * The point that stands for all keys of a head. It lies at their mean κ under the masses LEAST_MASS + Σ_i P_ij, taken over
   * one of each ⌈keys/sampled⌉ keys ({@link GOLDEN_SECTION}), P_i the softmax rows of the probes. Its value is z̄ + t (ō − z̄), z̄ the mean
   * value and ō that of the exact outputs of the probes: with e_i = o_i − z̄, t = Σ_i <e_i, ē_i> / Σ_i ‖ē_i‖² within [0, 1],
   * ē_i the mean of the others' e; 0 where nothing is left to divide by. The logarithm of its mass is
   * the mean of logSumExp_i − scale · <q_i, κ>. 1 <= sampled < 65,536.
   */
  fitCentre(args: {
    /** [heads, keys, features] */
    readonly key: DeviceArray;
    /** [heads, probes, features] */
    readonly query: DeviceArray;
    /** [heads, probes, keys] */
    readonly probabilities: DeviceArray;
    /** [heads, probes]: of the logits of all keys. */
    readonly logSumExp: DeviceArray;
    /** [heads, probes, valueFeatures]: exact attention of the probes. */
    readonly output: DeviceArray;
    /** [heads, valueFeatures]: of the values of all keys. */
    readonly mean: DeviceArray;
    readonly heads: number;
    readonly keys: number;
    readonly features: number;
    readonly valueFeatures: number;
    readonly probes: number;
    readonly scale: number;
    readonly sampled: number;
    readonly largestValue: number;
  }): FittedCentre;

  /**
   * What fitted points leave out to first order. A point at κ with value z answers for its cluster as if keys and values
   * did not differ there; Σ_j p_j (k_j − κ)(v_j − z)ᵀ is how they differ together, p_j the mean over ω of P_ij (ω and P as for
   * `fitPoints`), and `scale` times the query times it is missing in the output. The sum is taken over one of each
   * `every` keys ({@link GOLDEN_SECTION}), every = ⌈keys/sampled⌉, and counts `every` times. The function has the mean 0 over the fitted probes, by its
   * offset, and is multiplied by the factor γ within [0, 1] that brings it closest to what the points leave of the exact
   * outputs of these, in the sense of ω: Σ ω <exact − approximate, function> / Σ ω ‖function‖², the least over leaving out one
   * of the probes; 0 where nothing is left to divide by. 1 <= sampled < 65,536.
   */
  fitSlope(args: {
    /** [heads, keys, features] */
    readonly key: DeviceArray;
    /** [heads, keys, valueFeatures] */
    readonly value: DeviceArray;
    /** [heads, probes, features] */
    readonly query: DeviceArray;
    /** [heads, probes, keys] */
    readonly probabilities: DeviceArray;
    /** [heads, keys] words: the cluster of each key; none where the first point of a head stands for all of its keys. */
    readonly labels?: DeviceArray;
    /** As from `fitPoints` or `fitCentre`. */
    readonly points: Pick<FittedPoints, "key" | "value">;
    /** [heads, probes, valueFeatures]: attention of the probes to all keys. */
    readonly exact: DeviceArray;
    /** [heads, probes, valueFeatures]: attention of the probes to the points; none where it is the value of the first. */
    readonly approximate?: DeviceArray;
    readonly heads: number;
    readonly keys: number;
    readonly features: number;
    readonly valueFeatures: number;
    readonly probes: number;
    readonly fitted: number;
    readonly even: number;
    readonly otherWeight: number;
    readonly most: number;
    readonly scale: number;
    readonly sampled: number;
    readonly largestValue: number;
  }): FittedSlope;

  /** rows + offset + query · slope: [heads, count, valueFeatures]. */
  addLinear(
    args: Pick<FittedSlope, "slope" | "offset"> & {
      /** [heads, count, valueFeatures], or [heads, 1, valueFeatures] if they are all the same. */
      readonly rows: DeviceArray;
      /** Whether there is one row for all queries of a head. */
      readonly sameRow?: boolean;
      /** [heads, count, features] */
      readonly query: DeviceArray;
      readonly heads: number;
      readonly count: number;
      readonly features: number;
      readonly valueFeatures: number;
    },
  ): DeviceArray;
}
