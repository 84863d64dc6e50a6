import type { BasicPrimitives } from "./backend.ts";
import type { CoresetPrimitives } from "./coreset_primitives.ts";

/** Everything that a device computes. */
export interface Primitives extends BasicPrimitives, CoresetPrimitives {}

/** The name of a primitive. */
export type PrimitiveName = keyof Primitives;

/** What a primitive takes. */
export type Arguments<Name extends PrimitiveName> = Parameters<Primitives[Name]>[0];

/** What a primitive gives. */
export type Result<Name extends PrimitiveName> = ReturnType<Primitives[Name]>;
