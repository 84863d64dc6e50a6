import type { Instruction, MachineCode } from "./machine_code.ts";

/** Instructions that run one after another. */
export type Block = readonly Instruction[];

/** A loop: what one turn of it runs, loops in it apart, in the order of the code. */
export interface Loop {
  readonly blocks: readonly Block[];
  /** How many loops it lies in. */
  readonly depth: number;
}

/** The loops of a kernel by their first instruction, those outside in front of those in them, and what is in none. */
export interface LoopNest {
  readonly loops: readonly Loop[];
  readonly outside: Block;
}

/** Blocks that can be reached. */
function reach(start: number, edges: readonly (readonly number[])[], without?: number): Set<number> {
  const seen = new Set<number>(), left = [start];
  for (let block = left.pop(); block !== undefined; block = left.pop()) {
    if (block === without || seen.has(block)) continue;
    seen.add(block);
    left.push(...edges[block]);
  }
  return seen;
}

/** Finds the loops of machine code: jumps back to a block without which the jump cannot be reached. */
export function findLoops({ instructions, labels }: MachineCode): LoopNest {
  const after = instructions.flatMap(({ kind }, at) => kind === "branch" ? [at + 1] : []);
  const starts = [...new Set([0, ...labels.values(), ...after])].filter((at) => at < instructions.length)
    .sort((a, b) => a - b);
  const numberOf = new Map(starts.map((start, block) => [start, block]));
  const blocks = starts.map((start, at) => instructions.slice(start, starts[at + 1]));
  const next = blocks.map((block, at) => {
    const last = block[block.length - 1],
      label = last.kind === "branch" ? labels.get(last.target ?? "") : undefined;
    const target = label === undefined ? undefined : numberOf.get(label);
    const falls = !(last.kind === "branch" && last.always) && at + 1 < blocks.length;
    return [...target === undefined ? [] : [target], ...falls ? [at + 1] : []];
  });
  const before = blocks.map((_, block) => blocks.flatMap((_, at) => next[at].includes(block) ? [at] : []));
  const bodies = new Map<number, Set<number>>();
  for (const end of reach(0, next)) {
    for (const head of next[end]) {
      if (reach(0, next, head).has(end)) continue;
      const body = bodies.get(head) ?? new Set([head]);
      for (const block of reach(end, before, head)) body.add(block);
      bodies.set(head, body);
    }
  }
  const within = (inner: Set<number>, outer: Set<number>) =>
    inner.size < outer.size && [...inner].every((block) => outer.has(block));
  const codeOf = (own: Iterable<number>) => [...own].sort((a, b) => a - b).map((block) => blocks[block]);
  const loops = [...bodies].sort(([a], [b]) => a - b).map(([, body]): Loop => {
    const inner = [...bodies.values()].filter((other) => within(other, body));
    return {
      blocks: codeOf([...body].filter((block) => !inner.some((other) => other.has(block)))),
      depth: [...bodies.values()].filter((other) => within(body, other)).length,
    };
  });
  const inLoops = new Set([...bodies.values()].flatMap((body) => [...body]));
  return { loops, outside: codeOf(blocks.keys().filter((block) => !inLoops.has(block))).flat() };
}
