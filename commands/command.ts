/** A sub-command of the command line. */
export interface Command {
  /** One line for the overview. */
  readonly summary: string;
  /** The whole help text. */
  help(): string;
  /** Runs it with the words after its name; returns the exit code. */
  run(args: readonly string[]): Promise<number>;
}
