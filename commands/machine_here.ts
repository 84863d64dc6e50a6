import os from "node:os";
import process from "node:process";
import { isGranted } from "../files/permissions.ts";
import type { Machine } from "../proofs_checks/engine/origin.ts";

/** The machine that runs this; what Deno may not be asked for is left out. */
export function machineHere(): Machine {
  const processor = isGranted({ name: "sys", kind: "cpus" }) ? os.cpus()[0]?.model.trim() : undefined;
  const release = isGranted({ name: "sys", kind: "osRelease" }) ? ` ${os.release()}` : "";
  return {
    processor: processor || null,
    cores: navigator.hardwareConcurrency,
    system: `${process.platform} ${process.arch}${release}`,
    runtime: runtimeName(),
  };
}

/** What runs this, and its version. */
export function runtimeName(): string {
  const { versions } = process as { versions: Record<string, string | undefined> };
  const name = versions.deno ? "deno" : versions.bun ? "bun" : "node";
  return `${name} ${versions[name]}`;
}
