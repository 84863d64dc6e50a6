/** Where every method stands, as measured last: what `rivals.ts` writes and documents are made from. */
import type { MethodRank } from "../proofs_checks/comparison/report.ts";

/** What `standing.json` holds. */
export interface Standing {
  readonly command: string;
  readonly inputs: number;
  readonly budgets: readonly number[];
  /** Ranks of all methods. */
  readonly ranks: readonly MethodRank[];
  /** Ranks of those that keep to the budget, among themselves. */
  readonly fair: readonly MethodRank[];
  /** `auto` beside the best of others that keeps to the budget: on how many inputs and budgets, and on how many it errs more. */
  readonly duels: number;
  readonly losses: number;
  /** By method, where it errs less than `auto` at the same budget, both keeping to it. */
  readonly wins: Readonly<Record<string, { readonly occasions: number; readonly inputs: readonly string[] }>>;
  /** Growth of resident memory at one head, by method; null where it could not be had. */
  readonly memory: {
    readonly input: string;
    readonly budget: number;
    readonly bytes: Readonly<Record<string, number | null>>;
  };
}

const MEBI = 2 ** 20;

/** The table of docs/methods.md. */
export function standingRows({ ranks, fair, wins, memory }: Standing): string[][] {
  const order = [...fair.map(({ method }) => method), ...ranks.map(({ method }) => method)];
  return [...new Set(order)].map((method) => {
    const rank = ranks.find((rank) => rank.method === method)!,
      own = fair.find((rank) => rank.method === method);
    const bytes = memory.bytes[method] ?? null;
    return [
      `\`${method}\``,
      ...(own?.measured
        ? [short(own.mean_rank), String(own.best), short(own.error_to_best)]
        : ["–", "–", "–"]),
      short(rank.speedup),
      short(rank.evaluations_to_budget),
      bytes === null ? "–" : short(bytes / MEBI),
      winsOf(wins[method]),
      `${rank.measured}${rank.exact > 0 ? `, exact ${rank.exact}` : ""}${
        rank.refused > 0 ? `, refused ${rank.refused}` : ""
      }`,
    ];
  });
}

/** Heads of {@link standingRows}. */
export const standingHead = [
  "`method`",
  "mean rank",
  "best",
  "error : least",
  "speed-up",
  "evaluations : budget",
  "memory, MiB",
  "errs less than `auto`",
  "measured",
] as const;

/** Names of inputs that a cell has room for. */
const NAMED = 3;

function winsOf(own: Standing["wins"][string] | undefined): string {
  if (!own || own.occasions === 0) return "–";
  const more = own.inputs.length - NAMED;
  return `${own.occasions}: ${own.inputs.slice(0, NAMED).join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}

/** Three lines for who wants it short: accuracy, time, memory. */
export function standingLines(
  { ranks, fair, duels, losses, memory, inputs, budgets }: Standing,
  others: ReadonlySet<string>,
): string {
  const of = (method: string, among = fair) => among.find((rank) => rank.method === method)!;
  const auto = of("auto"), paper = of("kdeformer-practical");
  const rivals = fair.filter(({ method, measured }) => others.has(method) && measured > 0);
  const [best] = rivals, fastest = rivals.reduce((a, b) => (b.speedup ?? 0) > (a.speedup ?? 0) ? b : a);
  const megabytes = (method: string) => `${short((memory.bytes[method] ?? NaN) / MEBI)} MiB`;
  const sizes = rivals.map(({ method }) => ({ method, bytes: memory.bytes[method] }))
    .filter((one): one is { method: string; bytes: number } => typeof one.bytes === "number")
    .sort((a, b) => a.bytes - b.bytes);
  const least = sizes[0], most = sizes[sizes.length - 1];
  return [
    `- **Accuracy**: on ${inputs} inputs at budgets of ${
      budgets.join(", ")
    } \`auto\` errs less than every method of others that keeps to the ` +
    `budget on ${
      duels - losses
    } of ${duels} occasions, and attends exactly on ${auto.exact} more, where that is as fast; its error is ${
      short(auto.error_to_best)
    } times the least in the mean, KDEformer's ` +
    `(\`kdeformer-practical\`) ${
      short(paper.error_to_best)
    } times, that of the best of the others (\`${best.method}\`) ${short(best.error_to_best)} times.`,
    `- **Time**: exact attention takes ${
      short(of("auto", ranks).speedup)
    } times as long as \`auto\`, where that approximates; on all occasions ` +
    `${short(of("kdeformer-practical", ranks).speedup)} times as long as KDEformer, ${
      short(of(best.method, ranks).speedup)
    } times as long as ` +
    `\`${best.method}\`, ${
      short(of(fastest.method, ranks).speedup)
    } times as long as the fastest of the others ` +
    `(\`${fastest.method}\`, which errs ${short(fastest.error_to_best)} times the least).`,
    `- **Memory**: for ${memory.input} at a budget of ${memory.budget} exact attention grows by ${
      megabytes("exact")
    }, \`auto\` by ${megabytes("auto")}, KDEformer by ` +
    `${megabytes("kdeformer-practical")}` +
    (least
      ? `, the others by ${megabytes(least.method)} (\`${least.method}\`) to ${
        megabytes(most.method)
      } (\`${most.method}\`).`
      : "."),
  ].join("\n");
}

function short(value: number | null): string {
  if (value === null || !Number.isFinite(value)) return "–";
  return String(value >= 100 ? Math.round(value) : Number(value.toPrecision(2)));
}
