import type { AttentionInput } from "../../proofs_checks/inputs/family.ts";

/** An engine made ready for one input: each call attends and resolves to the output on the host. */
export type PreparedEngine = () => Promise<Float32Array>;

/** An attention engine to time. */
export interface Engine {
  /** With what its time depends on: the version, the device, the threads. */
  readonly name: string;
  /** The largest n to time: beyond it one call takes seconds. */
  readonly largest?: number;
  /**
   * Readies the engine for one head, [1, n, d] each, with the scale 1/√d; the input is on its device from the first call on where the engine can keep it there.
   *
   * @throws {Error} If the engine cannot run here.
   */
  prepare(input: AttentionInput): Promise<PreparedEngine>;
}
