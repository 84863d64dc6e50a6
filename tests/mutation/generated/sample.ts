import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Purpose, RandomStream } from "../../../kernels/random.ts";
import { root } from "../../child.ts";
import { filesOf } from "../../recipes/tree.ts";
import type { Mutant } from "../mutant.ts";
import { operators } from "./operators.ts";
import { tokensOf } from "./tokens.ts";

/** What is mutated: what claims are about, less what is generated. */
const MUTATED =
  /^(?:estimators\/(?:certified|kde|core)|estimators\/methods\/(?:kdeformer\w*|calibrated|tilted_tree|shared)|kernels\/(?:reference|wasm\/assembly))\/.*(?<!\.generated)\.ts$/;

/** A seeded sample of the mutants that the operators make, of each operator as many as of any other while it has some. */
export function sampleGenerated(count: number, seed: number): Mutant[] {
  const random = new RandomStream(seed, Purpose.search), byOperator = new Map<string, Mutant[]>();
  for (const mutant of generatedMutants()) {
    const [name] = mutant.fault.split(":"), own = byOperator.get(name) ?? [];
    byOperator.set(name, own);
    own.push(mutant);
  }
  const orders = Array.from(
    byOperator.values(),
    (own) => ({ own, order: random.distinct(own.length, own.length) }),
  );
  const longest = Math.max(...orders.map(({ order }) => order.length));
  return Array.from({ length: longest }, (_, at) => at).flatMap((at) =>
    orders.filter(({ order }) => at < order.length).map(({ own, order }) => own[order[at]])
  ).slice(0, count);
}

/** Every mutant that the operators make, file after file. */
export function generatedMutants(): Mutant[] {
  const files = filesOf(root).filter((path) => MUTATED.test(path));
  return files.flatMap((file) => mutantsOf(file, readFileSync(join(root, file), "utf8")));
}

/** The mutants of one file. */
export function mutantsOf(file: string, source: string): Mutant[] {
  const tokens = tokensOf(source), mutants: Mutant[] = [];
  tokens.forEach((token, at) => {
    for (const { name, changeAt } of operators) {
      const change = changeAt(tokens, at);
      if (!change) continue;
      const start = tokens[change.first].start, end = tokens[change.last].end;
      const line = source.slice(0, token.start).split("\n").length;
      const column = token.start - source.lastIndexOf("\n", token.start - 1);
      mutants.push({
        id: `${file}:${line}:${column}:${name.replaceAll(" ", "-")}`,
        file,
        fault: `${name}: ${change.fault}`,
        ...unique(source, start, end, change.replace),
      });
    }
  });
  return mutants;
}

/** The change with as many of the lines around it as make what is found unique. */
function unique(
  source: string,
  start: number,
  end: number,
  replace: string,
): Pick<Mutant, "find" | "replace"> {
  let from = source.lastIndexOf("\n", start - 1) + 1, to = endOfLine(source, end);
  const isTwice = (text: string) => source.indexOf(text) !== source.lastIndexOf(text);
  while (isTwice(source.slice(from, to))) {
    from = source.lastIndexOf("\n", from - 2) + 1;
    to = endOfLine(source, to + 1);
  }
  return {
    find: source.slice(from, to),
    replace: source.slice(from, start) + replace + source.slice(end, to),
  };
}

function endOfLine(source: string, at: number): number {
  const end = source.indexOf("\n", at);
  return end < 0 ? source.length : end;
}
