import { tmpdir } from "node:os";
import process from "node:process";
import { environmentVariable, isGranted } from "../files/permissions.ts";

/**
 * Names a runtime directory where the session has none, as in containers: each Vulkan driver that is loaded writes a line
 * about its absence to the error stream otherwise.
 */
export function quietDrivers(): void {
  const name = "XDG_RUNTIME_DIR";
  if (process.platform !== "linux" || !isGranted({ name: "env", variable: name })) return;
  if (environmentVariable(name) === undefined) process.env[name] = tmpdir();
}
