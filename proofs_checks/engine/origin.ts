/** Which code measured. */
export interface Code {
  /** Version of this package. */
  readonly version: string;
  /** The commit that was checked out; null where the code is no checkout, or which one cannot be told. */
  readonly commit: string | null;
  /** SHA-256 of how files differed from that commit, in hexadecimal; null where they did not, and without a commit. */
  readonly changes: string | null;
}

/** The machine that measured; nothing that names it or its owner. */
export interface Machine {
  /** Model of the processor; null where it cannot be told. */
  readonly processor: string | null;
  /** Threads that the program might use. */
  readonly cores: number;
  /** Kind of the operating system, of the processor, and release. */
  readonly system: string;
  /** What ran the program, and its version. */
  readonly runtime: string;
}

/** Where evidence comes from: one run of `verify`. */
export interface Origin {
  /** Null where the report does not say, as are the next two. */
  readonly code: Code | null;
  /** When it began, in ISO 8601, in UTC. */
  readonly started: string | null;
  readonly machine: Machine | null;
}

/** One of several runs behind a report. */
export interface SharedOrigin extends Origin {
  readonly seed: number;
  /** Shares of the verification that it ran; none where the report does not say. */
  readonly shards: readonly number[];
}

/** Digits of a commit, and of a hash, that tell it from others. */
const DIGITS = 12;

/** Code in a word that a shell takes as it is: version, `@` and commit, `+` and the hash of what differed from it. */
export function codeWord({ version, commit, changes }: Code): string {
  const part = (sign: string, hash: string | null) => hash === null ? "" : `${sign}${hash.slice(0, DIGITS)}`;
  return `${version}${part("@", commit)}${part("+", changes)}`;
}

/** A machine in a line. */
export function machineWords({ processor, cores, system, runtime }: Machine): string {
  return `${processor ?? "unknown processor"}, ${cores} cores; ${system}; ${runtime}`;
}
