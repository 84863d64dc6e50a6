/** What an instruction occupies. */
export type Kind =
  | "branch"
  | "wait"
  | "barrier"
  | "scalar"
  | "salu"
  | "shared"
  | "memory"
  | "fma"
  | "special"
  | "wide"
  | "valu";

/** An instruction as far as the model minds it. */
export interface Instruction {
  readonly kind: Kind;
  readonly op: string;
  /** Bytes that a lane moves. */
  readonly bytes: number;
  /** Slots until the next one (NVIDIA); 0 for the second of a pair that is issued together. */
  readonly delay: number;
  /** Where a branch goes, and whether it always does. */
  readonly target?: string;
  readonly always: boolean;
  /** The scoreboard that tells that its result has come (NVIDIA). */
  readonly sets?: number;
  /** Counters or scoreboards that it waits for, and how many may be left. */
  readonly waits: readonly (readonly [counter: string | number, left: number])[];
}

/** Machine code of one kernel. */
export interface MachineCode {
  readonly instructions: readonly Instruction[];
  /** In front of which instruction a label stands. */
  readonly labels: ReadonlyMap<string, number>;
}

/** How much a compiler says that a kernel takes, and its code. */
export interface CompiledKernel extends MachineCode {
  /** Lanes of a wave. */
  readonly lanes: number;
  readonly numbers: Readonly<Record<string, number>>;
}

const AMD: readonly (readonly [RegExp, Kind])[] = [
  [/^(s_c?branch|s_endpgm)/, "branch"],
  [/^s_wait/, "wait"],
  [/^s_barrier/, "barrier"],
  [/^s_(buffer_)?load/, "scalar"],
  [/^s_/, "salu"],
  [/^ds_/, "shared"],
  [/^(buffer|global|flat|scratch|image)_/, "memory"],
  [/^v_(dual_|pk_)?(fma|mac|mad_f|mad_mix)/, "fma"],
  [/^v_(rcp|rsq|sqrt|exp|log|sin|cos)/, "special"],
  [/^v_(mul_lo|mul_hi|mad_[ui]64)/, "wide"],
];
const NVIDIA: readonly (readonly [RegExp, Kind])[] = [
  [/^(bra|exit)/, "branch"],
  [/^(bar|membar)/, "barrier"],
  [/^((ld|st|atom)\S*shared|shfl)/, "shared"],
  [/^(ld|st|atom|red)\./, "memory"],
  [/^ldc/, "scalar"],
  [/^(ffma|hfma2)/, "fma"],
  [/^(mufu|i2f|f2i|f2f|frnd|popc)/, "special"],
  [/^(bssy|bsync|bclear|nop|warpsync)/, "salu"],
  [/^imad64/, "wide"],
];

function instruction(op: string, kinds: typeof AMD, more: Partial<Instruction> = {}): Instruction {
  const [, kind = "valu"] = kinds.find(([pattern]) => pattern.test(op)) ?? [];
  const bits = [...op.matchAll(/[._][bui](8|16|32|64|96|128)\b/g)].at(-1), words = /dwordx(\d)/.exec(op);
  const bytes = words ? 4 * Number(words[1]) : bits ? Number(bits[1]) / 8 : 4;
  const twice = /(read|write|load|store)_?2/.test(op) ? 2 : 1;
  return { kind, op, bytes: bytes * twice, delay: 1, always: false, waits: [], ...more };
}

function readAmd(lines: readonly string[]): MachineCode {
  const instructions: Instruction[] = [], labels = new Map<string, number>();
  for (const line of lines) {
    const text = line.split(";")[0].trim();
    if (/^BB\d+:/.test(text)) labels.set(text.slice(0, -1), instructions.length);
    if (!/^[a-z]+_/.test(text)) continue;
    text.split("::").forEach((part, at) => {
      const [op, ...words] = part.trim().split(/\s+/), last = words.at(-1);
      const counted = [...part.matchAll(/(vm|lgkm)cnt\((\d+)\)/g)].map(([, name, left]) =>
        [name, Number(left)] as const
      );
      const newer = /^s_wait_(load|ds|km)cnt/.exec(op);
      const waits = newer ? [[newer[1] === "load" ? "vm" : "lgkm", Number(last)] as const] : counted;
      const always = op === "s_branch" || op === "s_endpgm";
      instructions.push(instruction(op, AMD, { delay: Number(at === 0), always, waits, target: last }));
    });
  }
  return { instructions, labels };
}

function readNvidia(lines: readonly string[]): MachineCode {
  const instructions: Instruction[] = [], labels = new Map<string, number>();
  for (const line of lines) {
    const block = /^block\S* (?:\S+ )?\d+ (L\d+)/.exec(line);
    if (block) labels.set(block[1], instructions.length);
    const [text, notes] = line.split("//");
    const body = text.replace(/^\s*(@\S+)?/, "").split("= ").at(-1)!.trim().split(/\s+/);
    if (!notes || !body[0] || text.includes("}")) continue;
    const sets = /wr:(\d)/.exec(notes)?.[1], waiting = /wt=([01]+)/.exec(notes)?.[1] ?? "";
    const bits = [...waiting].reverse(),
      one = instruction(body[0], NVIDIA, {
        delay: Number(/delay=(\d+)/.exec(notes)?.[1] ?? 1),
        target: body.at(-1),
        always: !/@|up/.test(text),
        sets: sets === undefined ? undefined : Number(sets),
        waits: bits.flatMap((bit, at) => bit === "1" ? [[at, 0] as const] : []),
      });
    instructions.push(/^\s*ur\d+ /.test(text) ? { ...one, kind: "salu" } : one);
  }
  return { instructions, labels };
}

/** What layer.c wrote of a pipeline, and the label of it. */
export function readCompiled(text: string): CompiledKernel & { readonly label: string } {
  const [head, ...parts] = text.split("\n=== ");
  const fields = new Map([...head.matchAll(/^([\w /.-]+): (.*)$/gm)].map(([, name, value]) => [name, value]));
  const assembly = parts.find((part) => part.startsWith("Assembly"));
  const nvidia = parts.find((part) => part.startsWith("NAK assembly"));
  const lines = (assembly ?? nvidia ?? "").split("\n");
  return {
    ...(nvidia ? readNvidia : readAmd)(lines),
    label: fields.get("label") ?? "",
    lanes: Number(fields.get("subgroup")),
    numbers: Object.fromEntries([...fields].map(([name, value]) => [name, Number(value)])),
  };
}
