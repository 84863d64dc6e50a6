import type { Backend, DeviceArray } from "../backend.ts";
import type { Arguments, PrimitiveName, Result } from "../primitives.ts";
import { Inputs } from "./inputs.ts";

/** How large a problem is; what a primitive does not have it passes over. */
export interface Size {
  readonly heads: number;
  readonly queries: number;
  /** At least 20. */
  readonly keys: number;
  readonly features: number;
  readonly valueFeatures: number;
  /** Queries whose softmax rows are known; at least 6. */
  readonly probes: number;
  /** Points that stand for the keys of a head; at least 2. */
  readonly points: number;
}

/** A call that is ready to be recorded. */
export interface PreparedCall {
  /** Records the primitive alone. */
  readonly call: () => void;
  /** Records it, and gives all that is defined of its result. */
  readonly answers: () => readonly DeviceArray[];
}

/**
 * A call of a primitive on inputs that are the same every time, so that what it gives can be set beside what another
 * device gives, or the float64 reference: the right answer. It hangs on no rounding: neither do words change with
 * the last bits of the inputs, nor floats by more than these.
 */
export interface KnownAnswer<Name extends PrimitiveName = PrimitiveName> {
  readonly primitive: Name;
  /** Calls of the primitive that the case stands for, where that is not all of them. */
  readonly covers?: (args: Arguments<Name>) => boolean;
  /** Uploads the inputs. */
  readonly prepare: (backend: Backend, size: Size) => PreparedCall;
}

/** A case by its arguments, and by the arrays of its result; what `outputs` records besides belongs to the case. */
export function knownAnswer<Name extends PrimitiveName>(
  primitive: Name,
  args: (inputs: Inputs, size: Size) => Arguments<Name>,
  outputs: (result: Result<Name>, args: Arguments<Name>, backend: Backend) => readonly DeviceArray[],
  covers?: (args: Arguments<Name>) => boolean,
): KnownAnswer<Name> {
  return {
    primitive,
    covers,
    prepare: (backend, size) => {
      const given = args(new Inputs(backend), size);
      const own = backend[primitive] as unknown as (args: Arguments<Name>) => Result<Name>;
      const call = () => own.call(backend, given);
      // Whoever records a call alone is to take nothing for what it gives.
      return { call: () => void call(), answers: () => outputs(call(), given, backend) };
    },
  };
}

/** The cases of primitives; the compiler asks for each of them. */
export type KnownAnswers<Names extends PrimitiveName> = {
  readonly [Name in Names]: readonly [KnownAnswer<Name>, ...KnownAnswer<Name>[]];
};
