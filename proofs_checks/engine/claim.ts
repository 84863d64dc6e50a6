import type { Backend } from "../../kernels/backend.ts";
import type { Device } from "../../kernels/device.ts";
import type { AttentionInput, InputOptions } from "../inputs/family.ts";
import type { ApproximateName } from "../../estimators/methods/methods.ts";
import type { Implementation } from "./implementation.ts";

/**
 * How the runs of a claim become a verdict.
 *
 * - `always`: no run may exceed the bound. One that does refutes; "holds" means that evidence excludes an exceedance
 *   probability above `allowed`.
 * - `probability`: the probability of exceeding the bound is at most `allowed`.
 * - `mean`: runs give standardised values, (estimate − truth) / standard deviation, whose expectation is 0; "holds" means that
 *   evidence excludes a bias of `tolerance` standard deviations either way.
 * - `slope`: runs give independent slopes whose expectation lies in [low, high].
 */
export type Rule =
  | { readonly kind: "always"; readonly allowed: number }
  | { readonly kind: "probability"; readonly allowed: number }
  | { readonly kind: "mean"; readonly tolerance: number }
  | { readonly kind: "slope"; readonly low: number; readonly high: number };

/** A source of inputs: a family of `inputs/`, real data, or a search that learns from what was measured. */
export interface InputSource {
  readonly name: string;
  /** Whether all runs are used, however early the claim is seen to hold: a search looks for what breaks it. */
  readonly exhaustive?: boolean;
  /** Inputs for one case of at most so many runs. */
  open(seed: number, runs: number): InputStream;
}

/** Inputs of one case, in order. */
export interface InputStream {
  /** The input of a run; options are the claim's, and may be overruled by the family. */
  next(options: InputOptions): AttentionInput | Promise<AttentionInput>;
  /** Hears error / bound of the input given last. */
  observe?(ratio: number): void;
  /** What was found, for people. */
  describe?(): string;
}

/** One family on which a claim is checked. */
export interface ClaimCase {
  readonly source: InputSource;
  /** "refuted" where the theory says that the claim must fail; the reason is then stated. */
  readonly expected: "holds" | "refuted";
  readonly why?: string;
  /** Most runs in the place of the claim's. */
  readonly runs?: number;
}

/** What one run of a claim gets. */
export interface RunContext {
  readonly device: Device;
  readonly implementation: Implementation;
  /** Name of the case's source. */
  readonly family: string;
  /** Number of keys. */
  readonly n: number;
  /** Seed of this run's estimator. */
  readonly seed: number;
  /** Probability of failure that a guarantee is asked for: what the verdict rule allows. */
  readonly delta: number;
  /** Which run of its case this is, from 0. */
  readonly run: number;
  /** Draws the run's input; a second call gives another. */
  input(options?: Partial<InputOptions>): Promise<AttentionInput>;
  /** Runs a job on the device, through the implementation's kernels. */
  on<T>(job: (backend: Backend) => Promise<T>): Promise<T>;
}

/** What one run measured. */
export interface Run {
  /** In the unit of the claim's bound. */
  readonly measured: number;
  /**
   * Whether the statement was at stake: not where the answer was exact by itself, or nothing was certified. Left out where it is. A
   * case in which it never was is vacuous.
   */
  readonly telling?: boolean;
  /** What a search for bad inputs should make large; measured / bound when left out. */
  readonly badness?: number;
  /** Numbers for the report's plots. */
  readonly plot?: Readonly<Record<string, number>>;
}

/** Sizes that users have, on some families: every one of them would take hours. */
export interface LargeSetting {
  readonly n: number;
  readonly families: readonly string[];
  /**
   * Runs that share an input, where finding what is true of it takes longest; 1 when left out. What a claim says of every input it says of
   * the runs on one.
   */
  readonly runsPerInput?: number;
}

/** A lemma, theorem or stated property, and how it is checked. */
export interface Claim {
  /** Lower case with hyphens: the name on the command line. */
  readonly name: string;
  /** In words. */
  readonly statement: string;
  readonly formula: string;
  /** Where it comes from: paper and place, or the section of docs/theory.md. */
  readonly source: string;
  readonly assumptions: string;
  /** The method whose guarantee it is; left out where it is no method's, or a measurement. */
  readonly promisedBy?: ApproximateName;
  /** How one run measures it. */
  readonly measurement: string;
  readonly rule: Rule;
  /** Whether the δ of its rule is its own, whatever is asked for: a measurement that no guarantee is behind. */
  readonly ownDelta?: boolean;
  /** What `measured` is held against. */
  readonly bound: number;
  readonly cases: readonly ClaimCase[];
  /** Whether the claim is about any attention input, real data included. */
  readonly anySource: boolean;
  /** Keys, unless the command line says otherwise. */
  readonly n: number;
  /** Most runs of a case, unless the command line says otherwise. */
  readonly runs: number;
  /** The least level that checks it, where nobody names it: rates that are small take thousands of runs. */
  readonly from?: "standard";
  /** Runs that share an input; 1 when left out. */
  readonly runsPerInput?: number;
  /** What `standard` and `thorough` verifications check it on as well; what the former has when the latter is left out. */
  readonly standard?: LargeSetting;
  readonly thorough?: LargeSetting;
  /**
   * How many numbers one run holds, or pairs it evaluates, at n keys: what says beforehand that a size is beyond any machine. n²,
   * the entries of P, when left out.
   */
  size?(n: number): number;
  /**
   * Measures once. What it throws is no measurement: the case then could not run, or is not applicable.
   *
   * @throws {NotApplicable} Where the statement says nothing of the input.
   */
  run(context: RunContext): Promise<Run>;
}
