/** What Deno must allow for a use of a command: the use, and the flags, none for nothing. */
export type PermissionRow = readonly [use: string, flags: string];

const FILES: PermissionRow = ["--q Q.npy --k K.npy --v V.npy", "--allow-read=Q.npy,K.npy,V.npy"];
const GENERATED: PermissionRow = ["generated inputs", ""];
const FETCHED: PermissionRow = [
  "sentence-encoder, ocr-heads, ocr or glove",
  "--allow-read=DIR, the DENO_DIR that deno info names",
];
const JSON_FILE: PermissionRow = ["--json FILE", "--allow-write=FILE"];
const PAGE: PermissionRow = ["--report FILE.html", "--allow-write=FILE.html"];

/**
 * The fewest flags of `deno run` that each command works with; those of several uses are joined. A test runs each.
 * Where Deno may read and write a file's folder too, the file appears whole or not at all.
 */
export const permissionRows: Readonly<Record<string, readonly PermissionRow[]>> = {
  attend: [
    FILES,
    ["--key-mask M.npy", "--allow-read=M.npy"],
    GENERATED,
    FETCHED,
    ["--out O.npy", "--allow-write=O.npy"],
    JSON_FILE,
  ],
  compare: [FILES, GENERATED, FETCHED, JSON_FILE, PAGE],
  demo: [["any use", "--allow-read=DIR, the DENO_DIR that deno info names"]],
  doctor: [
    ["without --tune", ""],
    JSON_FILE,
    [
      "--tune DxDV with KDEFORMER_TUNING=FILE",
      "--allow-env=KDEFORMER_TUNING --allow-read=FILE --allow-write=FILE",
    ],
  ],
  verify: [GENERATED, FETCHED, JSON_FILE, PAGE],
  scaling: [
    GENERATED,
    FETCHED,
    ["memory measured as well", "--allow-run=deno"],
    JSON_FILE,
    PAGE,
  ],
  report: [
    ["--merge A.json B.json", "--allow-read=A.json,B.json"],
    ["--out FILE.html", "--allow-write=FILE.html"],
    JSON_FILE,
  ],
};

/** The part of a command's help text on permissions. */
export function leastPermissions(command: string): string {
  const rows = permissionRows[command], width = Math.max(...rows.map(([use]) => use.length));
  const lines = rows.map(([use, flags]) => `  ${use.padEnd(width)}  ${flags || "none"}`);
  return `Least permissions, in place of -A (deno run --no-prompt FLAGS cli.ts ${command} …):\n${
    lines.join("\n")
  }\n`;
}
