#!/usr/bin/env -S deno run -A
/**
 * The command line: `deno run -A cli.ts <command> [options]`.
 *
 * @module
 */
import process from "node:process";
import { unknownName, UsageError } from "./commands/arguments.ts";
import { attend } from "./commands/attend.ts";
import { compare } from "./commands/compare.ts";
import type { Command } from "./commands/command.ts";
import { demo } from "./commands/demo.ts";
import { doctor } from "./commands/doctor.ts";
import { report } from "./commands/report.ts";
import { scaling } from "./commands/scaling.ts";
import { verify } from "./commands/verify.ts";

const commands: Readonly<Record<string, Command>> = {
  attend,
  compare,
  demo,
  doctor,
  verify,
  scaling,
  report,
};

/**
 * Runs one command line and returns its exit code: 0 for success, 1 for a failure, 2 for a usage error.
 *
 * @param args The words after the program's name.
 */
export async function main(args: readonly string[]): Promise<number> {
  const [name, ...rest] = args;
  try {
    if (name === undefined || name === "help" || name === "--help" || name === "-h") {
      process.stdout.write(overview());
      return name === undefined ? 2 : 0;
    }
    const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
    if (!command) throw new UsageError(unknownName(`command ${name}`, name, Object.keys(commands)));
    if (rest.includes("--help") || rest.includes("-h")) {
      process.stdout.write(command.help());
      return 0;
    }
    return await command.run(rest);
  } catch (error) {
    const { message } = error as Error;
    if (error instanceof UsageError) {
      process.stderr.write(
        `${message}\nTry: cli.ts ${name && Object.hasOwn(commands, name) ? name : ""} --help\n`,
      );
      return 2;
    }
    process.stderr.write(`${message}\n`);
    if (process.env.KDEFORMER_DEBUG) process.stderr.write(`${(error as Error).stack}\n`);
    return 1;
  }
}

function overview(): string {
  const lines = Object.entries(commands).map(([name, { summary }]) => `  ${name.padEnd(9)} ${summary}`);
  return `Fast, verified softmax attention\n\nUsage: deno run -A cli.ts <command> [options]\n\n${
    lines.join("\n")
  }\n\n` +
    "Every command takes --help.\n";
}

if (import.meta.main) {
  // Whoever reads the output may leave early, as `head` does.
  process.stdout.on("error", (error: Error & { code?: string }) => {
    if (error.code === "EPIPE") process.exit(1);
    throw error;
  });
  process.exitCode = await main(process.argv.slice(2));
}
