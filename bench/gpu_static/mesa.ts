import { dirname } from "node:path";
import { tell } from "../timing.ts";

/** Where Mesa lies that is to be told of GPUs, and what it is run with. */
export interface Mesa {
  /** A folder to change the root to, or nothing where the machine's own Mesa can do it. */
  readonly root?: string;
  /** Where headers of Vulkan lie. */
  readonly headers: string;
}

/** Why nothing can be compiled here, and what to do. */
export class MesaMissing extends Error {}

const SHIM = "amdgpu_noop_drm_shim.so",
  PACKAGES = ["mesa-vulkan-drivers", "mesa-drm-shim", "libvulkan1", "libvulkan-dev"];
/** Debian's release whose Mesa has the compilers, in the order of preference. */
const SUITES = ["trixie", "trixie-backports"];
const KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg";
const HELP =
  `install ${
    PACKAGES.join(", ")
  } and gcc (Debian from release 13 on has them), or run this as root on Debian ` +
  "with gcc and apt-get, where they are fetched into a folder of their own";

/** The shim of a driver, which makes it believe in a GPU. */
export function shimOf(driver: string): string {
  return `/usr/lib/${Deno.build.arch}-linux-gnu/lib${driver}_noop_drm_shim.so`;
}

/**
 * The machine's own Mesa where it has shims, else one in a folder of its own, fetched once from Debian's archive.
 *
 * @throws {MesaMissing} Where there is neither.
 */
export async function findMesa(folder: string): Promise<Mesa> {
  if (Deno.build.os !== "linux") {
    throw new MesaMissing("Mesa's compilers for GPUs that are not there run on Linux alone");
  }
  if (!await works("gcc", "--version")) throw new MesaMissing(`there is no gcc: ${HELP}`);
  if (await exists(shimOf("amdgpu")) && await exists("/usr/include/vulkan/vk_layer.h")) {
    return { headers: "/usr/include" };
  }
  const root = `${folder}/root`;
  if (await exists(`${root}/done`)) return { root, headers: `${root}/usr/include` };
  if (Deno.uid() !== 0) throw new MesaMissing(`there is no lib${SHIM}, and only root can fetch it: ${HELP}`);
  const tools = ["apt-get", "dpkg", "unshare"], missing = [];
  for (const tool of tools) if (!await works(tool, "--version")) missing.push(tool);
  if (missing.length > 0) {
    throw new MesaMissing(`there is no lib${SHIM}, and no ${missing.join(", ")} to fetch it: ${HELP}`);
  }
  if (!await exists(KEYRING)) {
    throw new MesaMissing(`there is no lib${SHIM}, and this is not Debian: ${HELP}`);
  }
  await fetchMesa(root);
  return { root, headers: `${root}/usr/include` };
}

/** Unpacks Debian's packages into a folder; nothing else on the machine changes. */
async function fetchMesa(root: string): Promise<void> {
  tell(`Fetching Mesa into ${root}`);
  const apt = `${root}/apt`;
  for (const path of ["apt/lists/partial", "apt/archives/partial", "proc", "dev", "tmp"]) {
    await Deno.mkdir(`${root}/${path}`, { recursive: true });
  }
  const policy = await output("apt-cache", "policy"),
    [mirror] = /https?:\/\/\S+\/debian(?=[ /])/.exec(policy) ?? [];
  if (!mirror) throw new MesaMissing(`apt-get knows no archive of Debian: ${HELP}`);
  const sources = SUITES.map((suite) => `deb [signed-by=${KEYRING}] ${mirror} ${suite} main\n`).join("");
  await Deno.writeTextFile(`${apt}/sources.list`, sources);
  await Deno.writeTextFile(`${apt}/status`, "");
  const settings = [
    ["Dir::Etc::sourcelist", `${apt}/sources.list`],
    ["Dir::Etc::sourceparts", "/dev/null"],
    ["APT::Sandbox::User", "root"],
    ["Dir::State::lists", `${apt}/lists`],
    ["Dir::State::status", `${apt}/status`],
    ["Dir::Cache", apt],
  ];
  await Deno.writeTextFile(`${apt}/conf`, settings.map(([name, value]) => `${name} "${value}";\n`).join(""));
  const env = { APT_CONFIG: `${apt}/conf` };
  await run(["apt-get", "-qq", "update"], env);
  const options = ["-y", "--no-install-recommends", "--download-only", "-t", SUITES[1]];
  await run(["apt-get", "-qq", "install", ...options, ...PACKAGES], env);
  for await (const { name } of Deno.readDir(`${apt}/archives`)) {
    if (name.endsWith(".deb")) await run(["dpkg", "-x", `${apt}/archives/${name}`, root], {});
  }
  for (const link of ["lib", "lib64"]) {
    if (!await exists(`${root}/${link}`)) await Deno.symlink(`usr/${link}`, `${root}/${link}`);
  }
  await Deno.remove(`${apt}/archives`, { recursive: true });
  await Deno.writeTextFile(`${root}/done`, "");
}

/** A command that sees Mesa, and of the machine's own files some folders besides. */
export function withMesa(
  { root }: Mesa,
  command: readonly string[],
  env: Readonly<Record<string, string>>,
  folders: readonly string[],
): Deno.Command {
  const own = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  if (!root) {
    return new Deno.Command("env", { args: ["-i", ...own, ...command], stdout: "null", stderr: "piped" });
  }
  const mounts = `set -e; root=$1 count=$2; shift 2
    mount --rbind /proc "$root/proc"; mount --rbind /dev "$root/dev"
    for path in "\${@:1:$count}"; do mkdir -p "$root$path"; mount --bind "$path" "$root$path"; done
    shift "$count"; exec env -i "$@"`;
  const inside = ["/usr/sbin/chroot", root, ...command];
  const args = ["-m", "bash", "-c", mounts, "-", root, String(folders.length), ...folders, ...own, ...inside];
  return new Deno.Command("unshare", { args, stdout: "null", stderr: "piped" });
}

/** The folder of the running Deno. */
export const denoFolder = (): string => dirname(Deno.realPathSync(Deno.execPath()));

/** Runs a command; what it says is in the error where it fails. */
export async function run(
  [name, ...args]: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<void> {
  const { success, stderr } = await new Deno.Command(name, { args, env, stdout: "null", stderr: "piped" })
    .output();
  if (!success) throw new Error(`${name} ${args[0]} failed: ${new TextDecoder().decode(stderr).trim()}`);
}

async function output(name: string, ...args: string[]): Promise<string> {
  return new TextDecoder().decode((await new Deno.Command(name, { args, stderr: "null" }).output()).stdout);
}

async function works(name: string, ...args: string[]): Promise<boolean> {
  try {
    return (await new Deno.Command(name, { args, stdout: "null", stderr: "null" }).output()).success;
  } catch {
    return false;
  }
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}
