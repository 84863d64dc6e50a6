import { tell } from "../timing.ts";

/** The npm package that brings Dawn, the WebGPU of Chromium, as native code. */
const NAME = "webgpu", VERSION = "0.6.2";

/** The module of Dawn, fetched into a folder as Deno keeps packages; undefined where it cannot be had. */
export async function findDawn(folder: string): Promise<string | undefined> {
  tell("Fetching Dawn");
  const cache = `${folder}/deno`;
  const { success } = await new Deno.Command(Deno.execPath(), {
    args: ["cache", "--no-lock", `npm:${NAME}@${VERSION}`],
    env: { DENO_DIR: cache },
    stdout: "null",
    stderr: "null",
  }).output();
  if (!success) return undefined;
  // By the registry that it came from.
  for await (const { name } of Deno.readDir(`${cache}/npm`)) {
    const module = `${cache}/npm/${name}/${NAME}/${VERSION}/index.js`;
    if (await Deno.stat(module).then(() => true, () => false)) return `file://${module}`;
  }
  return undefined;
}
