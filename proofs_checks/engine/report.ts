import type { DeviceKind } from "../../kernels/backend.ts";
import type { Verdict } from "../statistics/sequential_decision.ts";

/** Version of the form of reports; raised when a reader of the old form would misread the new one. */
export const REPORT_VERSION = 1;
/** Name of the form of {@link VerificationReport}. */
export const VERIFICATION_SCHEMA = "kdeformer-verification";

/** What one claim gave on one family. docs/verification.md explains every field. */
export interface VerificationResult {
  readonly claim: string;
  readonly family: string;
  readonly verdict: Verdict;
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
  readonly "first_violation": number | null;
  readonly seconds: number;
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
}

/** A point of one of the report's plots. */
export interface PlotPoint {
  readonly claim: string;
  readonly family: string;
  readonly [quantity: string]: number | string;
}

/** Everything that `verify` found. */
export interface VerificationReport {
  readonly schema: typeof VERIFICATION_SCHEMA;
  readonly version: number;
  readonly seed: number;
  readonly device: DeviceKind;
  readonly adapter: string;
  /** Family-wise level of all verdicts. */
  readonly level: number;
  /** Verdicts that the level is shared by, run here or not. */
  readonly "family_size": number;
  readonly seconds: number;
  /** Where the verification was broken off: how many of its cases were done. */
  readonly interrupted?: { readonly done: number; readonly of: number };
  readonly claims: readonly ClaimText[];
  readonly results: readonly VerificationResult[];
  readonly points: readonly PlotPoint[];
}
