import type { NamedInput } from "../proofs_checks/inputs/family.ts";
import { headOfDraws } from "../workloads/choose_heads.ts";
import { headsOf } from "../workloads/workloads.ts";
import { UsageError } from "./arguments.ts";
import { checkInputOptions, type InputOptions, loadNamed } from "./input_options.ts";
import type { ProgressLine } from "./progress.ts";

/** What says which inputs `compare` takes. */
export type ComparedOptions = InputOptions & { readonly heads?: readonly string[] };

const wordsOf = (text: string) => text.split(",");

/** Whether options ask for several inputs, each compared by itself. */
export function isSeveral({ workload, heads }: ComparedOptions): boolean {
  return workload !== undefined && (wordsOf(workload).length > 1 || heads !== undefined);
}

/**
 * Checks what can be told from the options alone.
 *
 * @throws {UsageError} If an option is wrong, or does not apply to what is given.
 */
export function checkCompared(given: ComparedOptions): void {
  const { workload, heads, head } = given;
  if (workload === undefined) {
    if (heads !== undefined) throw new UsageError("--heads goes with --workload, not with files");
    return checkInputOptions("compare", given);
  }
  if (heads !== undefined && head !== undefined) throw new UsageError("Give either --head or --heads");
  const names = wordsOf(workload);
  for (const name of names) checkInputOptions("compare", { ...given, workload: name });
  if (head !== undefined && names.length > 1) {
    throw new UsageError("--head goes with one workload; --heads chooses heads of several");
  }
  if (heads === undefined) return;
  const known = names.flatMap((name) => headsOf(name));
  if (known.length === 0) throw new UsageError(`--heads: ${workload} has no heads to choose from`);
  for (const one of heads.flatMap(wordsOf)) {
    if (one !== "all" && !known.includes(one)) {
      throw new UsageError(`--heads must be all or of ${[...new Set(known)].join(", ")}: got "${one}"`);
    }
  }
}

/** The inputs that the options name, each loaded when its turn comes; layers at once, head by head. */
export async function* comparedInputs(
  given: ComparedOptions,
  seed: number,
  progress: ProgressLine,
  signal: AbortSignal,
): AsyncGenerator<NamedInput> {
  const { n, batch, heads } = given,
    scaled = (input: NamedInput) => ({
      ...input,
      scale: given.scale ?? input.scale,
    });
  const chosen = heads?.flatMap(wordsOf);
  for (const name of wordsOf(given.workload!)) {
    const options = { n, batch, seed, onProgress: progress.update, signal }, known = headsOf(name);
    if (!chosen || known.length === 0) {
      yield scaled(await loadNamed(name, options));
      continue;
    }
    const wanted = known.filter((head) => chosen.includes("all") || chosen.includes(head));
    for (const layer of new Set(wanted.map((head) => head.split(".")[0]))) {
      const all = await loadNamed(name, { ...options, head: `${layer}.all` });
      const ofLayer = (head: string) => head.startsWith(`${layer}.`), count = known.filter(ofLayer).length;
      for (const head of wanted.filter(ofLayer)) {
        yield scaled(oneHeadOf(all, `${name} ${head}`, Number(head.split(".")[1]), count));
      }
    }
  }
}

/** One head of a layer of `count` heads, of every draw. */
function oneHeadOf(all: NamedInput, name: string, head: number, count: number): NamedInput {
  const own = (tensor: NamedInput["query"]) => headOfDraws(tensor, head, count);
  const description = all.description.replace("all heads", `head ${head}`);
  return { ...all, name, description, query: own(all.query), key: own(all.key), value: own(all.value) };
}
