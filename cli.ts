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
import { environmentVariable } from "./files/permissions.ts";
import { kernelSum } from "./commands/kernel_sum.ts";
import { leastPermissions } from "./commands/least_permissions.ts";
import { shownMessage } from "./commands/printable.ts";
import { quietDrivers } from "./commands/quiet_drivers.ts";
import { report } from "./commands/report.ts";
import { scaling } from "./commands/scaling.ts";
import { spectrum } from "./commands/spectrum.ts";
import { verify } from "./commands/verify.ts";
import { VERSION } from "./commands/version.ts";

const commands: Readonly<Record<string, Command>> = {
  attend,
  compare,
  demo,
  doctor,
  verify,
  scaling,
  report,
  spectrum,
  "kernel-sum": kernelSum,
};

/**
 * Runs one command line and returns its exit code: 0 for success, 1 for a failure, 2 for a usage error, and more where a
 * signal ended it.
 *
 * @param args The words after the program's name.
 */
export async function main(args: readonly string[]): Promise<number> {
  const [name, ...rest] = args;
  try {
    quietDrivers();
    if (name === undefined || name === "--help" || name === "-h" || (name === "help" && rest.length === 0)) {
      process.stdout.write(overview());
      return name === undefined ? 2 : 0;
    }
    if (name === "--version") {
      process.stdout.write(`kdeformer ${VERSION}\n`);
      return 0;
    }
    const asked = name === "help" ? rest[0] : name, command = find(asked);
    if (name === "help" || rest.includes("--help") || rest.includes("-h")) {
      process.stdout.write(`${command.help()}\n${leastPermissions(asked)}`);
      return 0;
    }
    return await command.run(rest);
  } catch (error) {
    const { message = String(error), stack = "" } = error instanceof Error ? error : {};
    if (error instanceof UsageError) {
      const known = name !== undefined && Object.hasOwn(commands, name) ? `${name} ` : "";
      process.stderr.write(`${shownMessage(message)}\nTry: cli.ts ${known}--help\n`);
      return 2;
    }
    process.stderr.write(`${shownMessage(message)}\n`);
    if (environmentVariable("KDEFORMER_DEBUG") !== undefined) {
      process.stderr.write(`${shownMessage(stack)}\n`);
    }
    return 1;
  }
}

function find(name: string): Command {
  if (Object.hasOwn(commands, name)) return commands[name];
  const names = Object.keys(commands);
  throw new UsageError(`${unknownName(`command ${name}`, name, names)}; commands: ${names.join(", ")}`);
}

function overview(): string {
  const lines = Object.entries(commands).map(([name, { summary }]) => `  ${name.padEnd(10)} ${summary}`);
  return `Fast, verified softmax attention\n\nUsage: deno run -A cli.ts <command> [options]\n\n${
    lines.join("\n")
  }\n\n` +
    "Every command takes --help; help COMMAND says the same, --version the version.\n";
}

if (import.meta.main) {
  // Whoever reads the output may leave early, as `head` does.
  process.stdout.on("error", (error: Error & { code?: string }) => {
    if (error.code === "EPIPE") process.exit(1);
    throw error;
  });
  process.exitCode = await main(process.argv.slice(2));
}
