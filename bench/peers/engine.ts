/** One head of exact attention with the default scale. */
export interface HeadInput {
  readonly n: number;
  readonly d: number;
  readonly query: Float32Array;
  readonly key: Float32Array;
  readonly value: Float32Array;
}

/** An engine made ready for one input: each call attends and resolves to the output on the host. */
export type PreparedEngine = () => Promise<Float32Array>;

/** An attention engine to time. */
export interface Engine {
  /** With what its time depends on: the version, the device, the threads. */
  readonly name: string;
  /** The largest n to time: beyond it one call takes seconds. */
  readonly largest?: number;
  /**
   * Readies the engine for an input, which is on its device from the first call on where the engine can keep it there.
   *
   * @throws {Error} If the engine cannot run here.
   */
  prepare(input: HeadInput): Promise<PreparedEngine>;
}
