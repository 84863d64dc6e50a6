/** One dispatch of a run. */
export interface Dispatch {
  /** What sets its pipeline apart from all others. */
  readonly label: string;
  readonly file: string;
  readonly entryPoint: string;
  /** Definitions and constants of the kernel. */
  readonly values: Readonly<Record<string, number>>;
  readonly workgroups: number;
  /** Invocations of a workgroup. */
  readonly invocations: number;
  readonly parameters: Readonly<Record<string, number>>;
}

/** The dispatches of a call. */
export interface Run {
  readonly title: string;
  readonly dispatches: readonly Dispatch[];
}
