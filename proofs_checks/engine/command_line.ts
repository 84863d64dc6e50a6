/** The command line that repeats a command, as a shell takes it. */
export function commandLine(command: string, args: readonly string[]): string {
  return ["deno run -A cli.ts", command, ...args.map(shellWord)].join(" ");
}

/** A word in single quotes where a shell would see more in it than a word. */
function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
