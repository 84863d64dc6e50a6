/** What Deno must allow for a use of commands. */
export interface PermissionRow {
  readonly use: string;
  /** Flags of `deno run`; none where nothing is needed. */
  readonly flags: string;
  /** Which folder a flag names, in words. */
  readonly folder?: string;
  readonly commands: readonly string[];
}

/**
 * The fewest flags that each command works with; those of several uses are joined. A test runs each. Where Deno may read
 * and write a file's folder too, the file appears whole or not at all.
 */
export const permissionRows: readonly PermissionRow[] = [
  {
    use: "--q Q.npy --k K.npy --v V.npy",
    flags: "--allow-read=Q.npy,K.npy,V.npy",
    commands: ["attend", "compare"],
  },
  { use: "--q Q.npy --k K.npy", flags: "--allow-read=Q.npy,K.npy", commands: ["spectrum"] },
  { use: "FILE.npy", flags: "--allow-read=FILE.npy", commands: ["kernel-sum"] },
  { use: "--qkv QKV.npz", flags: "--allow-read=QKV.npz", commands: ["attend", "compare"] },
  { use: "--key-mask M.npy", flags: "--allow-read=M.npy", commands: ["attend"] },
  { use: "generated inputs", flags: "", commands: ["attend", "compare", "spectrum", "verify", "scaling"] },
  {
    use: "sentence-encoder, ocr, ocr-heads, glove, glove-shared",
    flags: "--allow-read=DIR",
    folder: "DIR is the DENO_DIR that deno info names",
    commands: ["attend", "compare", "demo", "spectrum", "verify", "scaling"],
  },
  { use: "--out O.npy", flags: "--allow-write=O.npy", commands: ["attend"] },
  {
    use: "--json FILE",
    flags: "--allow-write=FILE",
    commands: ["attend", "compare", "doctor", "kernel-sum", "spectrum", "verify", "scaling", "report"],
  },
  {
    use: "--report FILE.html",
    flags: "--allow-write=FILE.html",
    commands: ["compare", "verify", "scaling"],
  },
  { use: "--csv FILE.csv", flags: "--allow-write=FILE.csv", commands: ["compare"] },
  { use: "memory measured too", flags: "--allow-run=deno --allow-env", commands: ["scaling"] },
  { use: "--memory", flags: "--allow-run=deno --allow-env", commands: ["compare"] },
  { use: "without --tune", flags: "", commands: ["doctor"] },
  {
    use: "KDEFORMER_TUNING=T.json, --tune DxDV",
    flags: "--allow-env=KDEFORMER_TUNING --allow-read=T.json --allow-write=T.json",
    commands: ["doctor"],
  },
  { use: "--continue L.json", flags: "--allow-read=L.json --allow-write=L.json", commands: ["verify"] },
  {
    use: "commit and processor in the report",
    flags: "--allow-run=git --allow-env --allow-sys=cpus,osRelease",
    commands: ["verify"],
  },
  { use: "--merge A.json B.json", flags: "--allow-read=A.json,B.json", commands: ["report"] },
  { use: "--out FILE.html", flags: "--allow-write=FILE.html", commands: ["report"] },
];

/** The part of a command's help text on permissions. */
export function leastPermissions(command: string): string {
  const rows = permissionRows.filter(({ commands }) => commands.includes(command));
  const width = Math.max(...rows.map(({ use }) => use.length));
  const lines = rows.map(({ use, flags, folder }) =>
    `  ${use.padEnd(width)}  ${flags || "none"}${folder === undefined ? "" : ` (${folder})`}`
  );
  return `Least permissions, in place of -A (deno run --no-prompt FLAGS cli.ts ${command} …):\n${
    lines.join("\n")
  }\n`;
}
