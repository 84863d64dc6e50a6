import type { RobustAttentionOptions } from "../../estimators/robust/options.ts";
import type { ClaimCase, RunContext } from "../engine/claim.ts";
import { holdsOn, refutedOn } from "../engine/cases.ts";
import type { AttentionInput } from "../inputs/family.ts";
import { type Attack, attacks } from "../inputs/outliers.ts";
import { VALUE_FEATURES } from "./settings.ts";

/** Share of the keys that are outliers. */
export const SHARE = 0.05;
/** Fewer keys have outliers by ones. */
export const LEAST_KEYS = 64;
/** Enough to tell how far an output moves. */
const QUERIES = 64;
/** Families that every variant is measured on. */
const PLAIN = ["clustered", "gaussian"] as const;

/** One way to weigh keys, with what is expected of it. */
export interface Variant {
  /** End of the claims' names. */
  readonly name: string;
  readonly words: string;
  readonly options: RobustAttentionOptions;
  /** Most runs of a case. */
  readonly runs: number;
  /** Outliers that it is tried on. */
  readonly attacks: readonly Attack[];
  /** Families on which outliers move it by at most a fifth, or why not. */
  readonly drift: readonly ClaimCase[];
  /** Families on which it is within a tenth of softmax attention, or why not. */
  readonly clean: readonly ClaimCase[];
}

const refuted = (why: string): ClaimCase[] => PLAIN.map((name) => refutedOn(name, why));
const longKeys =
  "some clean keys are as far out as outliers, are taken for them, and have most of the weight";

/** The variants, the default first. */
export const variants: readonly Variant[] = [
  {
    name: "hampel",
    words: "Hampel's weights with corners by the share of outliers",
    options: {},
    runs: 60,
    attacks,
    drift: [
      ...holdsOn(...PLAIN, "low-rank", "sink-key"),
      refutedOn("heavy-tailed", longKeys),
      refutedOn("norm-versus-angle", longKeys),
    ],
    clean: [
      ...holdsOn(...PLAIN, "low-rank", "sink-key"),
      refutedOn("heavy-tailed", longKeys),
      refutedOn("norm-versus-angle", longKeys),
    ],
  },
  {
    name: "percentiles",
    words: "Hampel's weights with corners at percentiles",
    options: { thresholds: "percentiles" },
    runs: 90,
    attacks,
    drift: holdsOn(...PLAIN),
    clean: refuted(
      "a twentieth of the keys weighs nothing and a quarter less than it should, outliers or not",
    ),
  },
  {
    name: "published-bandwidth",
    words: "Hampel's weights with corners at percentiles and the bandwidth of attention",
    options: { thresholds: "percentiles", bandwidth: "attention" },
    runs: 60,
    attacks,
    drift: refuted(
      "at that bandwidth clean keys are alone, outliers that are alike have company, and weigh more than these",
    ),
    clean: refuted("a twentieth of the keys weighs nothing, and which is noise where all keys are alone"),
  },
  {
    name: "huber",
    words: "Huber's weights",
    options: { weights: "huber" },
    runs: 60,
    attacks,
    drift: refuted("no weight is below a/√2, half of it where outliers lie, which a logit of 1 outweighs"),
    clean: holdsOn(...PLAIN),
  },
  {
    name: "spkde",
    words: "weights of the scaled projection",
    options: { weights: "spkde" },
    runs: 12,
    attacks: ["aligned"],
    drift: refuted("outliers that are alike make a place as dense as others, whose weight it keeps"),
    clean: refuted("it takes the weight of the sparse places for the dense ones, outliers or not"),
  },
  {
    name: "median-of-means",
    words: "the block of the median",
    options: { weights: "median-of-means", outlierFraction: SHARE },
    runs: 60,
    attacks,
    drift: refuted(
      "a block of ten keys is far from all keys, and keys whose values alone are far out weigh as others",
    ),
    clean: refuted("a block of ten keys is far from all keys"),
  },
];

/** The input of a run. */
export function robustInput({ input }: RunContext): Promise<AttentionInput> {
  return input({ queries: QUERIES, valueFeatures: VALUE_FEATURES });
}

/** Robust attention of a run. */
export async function robustOutput(
  { implementation, device, seed }: RunContext,
  { query, key, value, scale }: AttentionInput,
  options: RobustAttentionOptions,
): Promise<Float32Array> {
  const given = { scale, device, seed, ...options };
  return (await implementation.robustAttention(query, key, value, given)).output.data;
}

/** ‖a − b‖ in Frobenius norm. */
export function distance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let squared = 0;
  for (let at = 0; at < b.length; at++) squared += (a[at] - b[at]) ** 2;
  return Math.sqrt(squared);
}
