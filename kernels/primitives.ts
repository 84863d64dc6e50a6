import type { BasicPrimitives } from "./backend.ts";
import type { CoresetPrimitives } from "./coreset_primitives.ts";
import type { TreePrimitives } from "./tree_primitives.ts";

/** Everything that a device computes. */
export interface Primitives extends BasicPrimitives, CoresetPrimitives, TreePrimitives {}

/** The name of a primitive. */
export type PrimitiveName = keyof Primitives;

/** What a primitive takes. */
export type Arguments<Name extends PrimitiveName> = Parameters<Primitives[Name]>[0];

/** What a primitive gives. */
export type Result<Name extends PrimitiveName> = ReturnType<Primitives[Name]>;

/** How a backend computes primitives: each on what the backend records its work with. */
export type Operations<On, Names extends PrimitiveName = PrimitiveName> = {
  readonly [Name in Names]: (on: On, args: Arguments<Name>) => Result<Name>;
};

/** The primitives of operations that record their work with `on`. */
export function bindOperations<On, Names extends PrimitiveName>(
  operations: Operations<On, Names>,
  on: On,
): Pick<Primitives, Names> {
  const bound = Object.entries<(on: On, args: never) => unknown>(operations)
    .map(([name, operation]) => [name, (args: never) => operation(on, args)]);
  return Object.fromEntries(bound);
}
