import type { DeviceKind } from "../../kernels/backend.ts";
import type { Asked } from "./asked.ts";
import type { Level } from "./levels.ts";
import type { Detectable } from "./detectable.ts";
import type { Code, Machine, SharedOrigin } from "./origin.ts";
import type { Outcome } from "./outcome.ts";

/** Version of the form of scaling reports; raised when a reader of the old form would misread the new one. */
export const REPORT_VERSION = 1;
/** That of {@link VerificationReport}. Version 1 had no verdicts error and not-applicable, and said nothing of shards. */
export const VERIFICATION_VERSION = 2;
/** Name of the form of {@link VerificationReport}. */
export const VERIFICATION_SCHEMA = "kdeformer-verification";

/** What one claim gave on one family. docs/verification.md explains every field. */
export interface VerificationResult {
  readonly claim: string;
  readonly family: string;
  readonly verdict: Outcome;
  readonly expected: "holds" | "refuted";
  /** Why a refutation is expected, or null. */
  readonly why: string | null;
  readonly measured: number;
  readonly bound: number;
  readonly margin: number;
  readonly worst: number;
  readonly violations: number | null;
  readonly interval: readonly [number, number] | null;
  readonly runs: number;
  readonly n: number;
  /** 1 − the family-wise p-value of the verdict, or of the likelier one where it is inconclusive. */
  readonly confidence: number;
  /** ln of the p-values before they are adjusted, what merging needs. */
  readonly "log_p": { readonly holds: number; readonly refuted: number };
  /** ln of the e-values, which those of other seeds multiply; reports of earlier versions have none. */
  readonly "log_e"?: { readonly holds: number; readonly refuted: number };
  /** The seeds behind it, where there are several. */
  readonly seeds?: readonly number[];
  /** The fault that it would have refuted; reports of earlier versions do not say. */
  readonly detects?: Detectable;
  /** Share of the runs in which the statement was at stake; null where the claim does not say. Reports of earlier versions do not. */
  readonly telling?: number | null;
  readonly "first_violation": number | null;
  readonly seconds: number;
  /** Why it could not run or is not applicable; null where there is a verdict by the evidence. */
  readonly reason: string | null;
  readonly note: string | null;
  readonly replay: string;
}

/** A claim as the report explains it. */
export interface ClaimText {
  readonly name: string;
  readonly statement: string;
  readonly formula: string;
  readonly source: string;
  readonly assumptions: string;
  readonly measurement: string;
  readonly rule: string;
  /** Why it stays far inside of its bound on every input; left out where some input brings it near. */
  readonly slack?: string;
}

/** A point of one of the report's plots. */
export interface PlotPoint {
  readonly claim: string;
  readonly family: string;
  readonly [quantity: string]: number | string;
}

/** The shares of a verification that are in a report. */
export interface Shards {
  /** Into how many it was cut; 1 for a whole. */
  readonly count: number;
  /** Those that are here, from 1. */
  readonly present: readonly number[];
}

/** Everything that `verify` found. */
export interface VerificationReport {
  readonly schema: typeof VERIFICATION_SCHEMA;
  readonly version: number;
  readonly seed: number;
  readonly device: DeviceKind;
  readonly adapter: string;
  /** The code that measured, where whoever called knew it; of joined reports that of the first, as are the next two. */
  readonly code?: Code;
  /** When it began, in ISO 8601, in UTC; reports of earlier versions do not say. */
  readonly started?: string;
  /** The machine that measured, where whoever called knew it. */
  readonly machine?: Machine;
  /** The runs behind it, where reports were joined. */
  readonly origins?: readonly SharedOrigin[];
  /** What was asked for, where a command can ask for it. */
  readonly asked?: Asked;
  /** Family-wise level of all verdicts. */
  readonly level: number;
  /** How much was undertaken, where it was more or less than "quick"; reports of earlier versions do not say. */
  readonly effort?: Level;
  /** Verdicts that the level is shared by, run here or not. */
  readonly "family_size": number;
  /** Most runs and keys that were asked for, in the place of each claim's own number; null where they were not. */
  readonly runs: number | null;
  readonly n: number | null;
  /** Probability of failure that was asked for; null where each claim's own was taken. */
  readonly delta?: number | null;
  /** Cases of the whole verification, of which a share runs some. */
  readonly cases: number;
  readonly shards: Shards;
  /** The seeds behind it, where runs of several were joined; `seed` is the first then. */
  readonly seeds?: readonly number[];
  /** What keeps a report that was joined from being one of a whole verification: missing shares, settings that differ. */
  readonly problems?: readonly string[];
  readonly seconds: number;
  /** Where the verification was broken off: how many of its cases were done. */
  readonly interrupted?: { readonly done: number; readonly of: number };
  readonly claims: readonly ClaimText[];
  readonly results: readonly VerificationResult[];
  readonly points: readonly PlotPoint[];
}
