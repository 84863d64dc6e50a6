import { type ChildProcess, spawn } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { userInfo } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { type ChildResult, root, runChild } from "../child.ts";
import { requirePrograms, withDeno } from "./programs.ts";
import { until } from "./until.ts";

/** States in which a job stays. */
const ENDED = ["COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL", "OUT_OF_MEMORY"];

/**
 * Slurm on this machine alone: a controller and one node, both on the loopback interface, without accounts and keys, for
 * whoever starts it, root or not. Whatever it writes lies in one folder, and disposing ends both.
 */
export class Slurm {
  readonly #folder: string;
  readonly #env: Record<string, string>;
  readonly #daemons: ChildProcess[] = [];

  private constructor(folder: string) {
    this.#folder = folder;
    this.#env = { ...withDeno, SLURM_CONF: join(folder, "slurm.conf") };
  }

  /** Starts it and waits until its node takes jobs. */
  static async start(folder: string): Promise<Slurm> {
    await requirePrograms("slurm-wlm", "slurmctld", "slurmd", "sbatch", "scancel", "scontrol", "sinfo");
    const slurm = new Slurm(folder), file = join(folder, "slurm.conf");
    for (const name of ["state", "spool"]) await mkdir(join(folder, name));
    await writeFile(file, configuration(folder, [await freePort(), await freePort()]));
    slurm.#daemon("slurmctld", "-c", "-D", "-f", file);
    slurm.#daemon("slurmd", "-D", "-N", "localhost", "-f", file);
    await until("a node that takes jobs", async () => {
      const { stdout } = await slurm.#run("sinfo", "--noheader", "--format=%T");
      return stdout.trim() === "idle" ? true : undefined;
    }, () => slurm.#logs());
    return slurm;
  }

  /** Submits a script; gives the number of its job. Its output is {@link output}. */
  async submit(...words: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.#run("sbatch", "--parsable", ...words);
    if (code !== 0) throw new Error(`sbatch ${words.join(" ")}: ${stderr}`);
    return stdout.trim();
  }

  /** The option of `submit` that sends what a job prints here. */
  get outputOption(): string {
    return `--output=${join(this.#folder, "%A_%a.log")}`;
  }

  /** What a job has printed, as yet. */
  async output(job: string): Promise<string> {
    // Slurm numbers what is no array so.
    const name = job.includes("_") ? job : `${job}_4294967294`;
    return await readFile(join(this.#folder, `${name}.log`), "utf8").catch(() => "");
  }

  /** A field of a job, such as JobState. */
  async field(job: string, name: string): Promise<string> {
    const { stdout } = await this.#run("scontrol", "show", "job", "--oneliner", job);
    return stdout.match(new RegExp(`\\b${name}=(\\S+)`))?.[1] ?? "";
  }

  /** Waits until a job prints, and so is in the midst of its work. */
  async printing(job: string): Promise<void> {
    await until(
      `job ${job} to print`,
      async () => await this.output(job) ? true : undefined,
      () => this.#queue(),
    );
  }

  /** Waits until a job has ended; gives its state and exit code, as Slurm has them: code and signal. */
  async ended(job: string): Promise<[state: string, code: string]> {
    const state = await until(`job ${job} to end`, async () => {
      const state = await this.field(job, "JobState");
      return ENDED.includes(state) ? state : undefined;
    }, () => this.#queue());
    return [state, await this.field(job, "ExitCode")];
  }

  /** Ends the processes of a job that runs, as a machine does that is out of memory: Slurm hears of it afterwards. */
  async kill(job: string): Promise<void> {
    const { stdout } = await this.#run("scontrol", "listpids", await this.field(job, "JobId"));
    const pids = [...stdout.matchAll(/^(\d+) /gm)].map(([, pid]) => Number(pid)).filter((pid) => pid > 1);
    if (pids.length === 0) throw new Error(`job ${job} ended before it was killed`);
    for (const pid of pids) process.kill(pid, "SIGKILL");
  }

  /** Asks a job to end, as at the end of its time. */
  async cancel(job: string): Promise<void> {
    const { code, stderr } = await this.#run("scancel", job);
    if (code !== 0) throw new Error(`job ${job} cannot be cancelled: ${stderr}`);
  }

  /** Runs a job again from its start, be it running or ended. */
  async requeue(job: string): Promise<void> {
    const { code, stderr } = await this.#run("scontrol", "requeue", job);
    if (code !== 0) throw new Error(`job ${job} cannot be queued again: ${stderr}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#run("scancel", "--signal=KILL", "--full", `--user=${userInfo().username}`);
    await this.#run("scancel", `--user=${userInfo().username}`);
    for (const daemon of this.#daemons.reverse()) {
      const closed = new Promise((resolve) => daemon.once("close", resolve));
      if (daemon.exitCode !== null || daemon.signalCode !== null) continue;
      daemon.kill("SIGTERM");
      await closed;
    }
  }

  #run(program: string, ...args: string[]): Promise<ChildResult> {
    return runChild(program, args, { env: this.#env });
  }

  #daemon(program: string, ...args: string[]): void {
    this.#daemons.push(spawn(program, args, {
      cwd: root,
      env: { ...process.env, ...this.#env },
      stdio: "ignore",
    }));
  }

  async #queue(): Promise<string> {
    return (await this.#run("squeue")).stdout;
  }

  async #logs(): Promise<string> {
    const logs = ["slurmctld.log", "slurmd.log"].map((name) => join(this.#folder, name));
    return (await Promise.all(logs.map((log) => readFile(log, "utf8").catch(() => `no ${log}`)))).join("\n");
  }
}

/** A port that nobody listens at. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

/** One machine is controller and node, and says that it has four processors, whatever it has. */
function configuration(folder: string, [controller, node]: readonly number[]): string {
  const user = userInfo().username, path = (name: string) => join(folder, name);
  const settings = {
    ClusterName: "alone",
    SlurmctldHost: "localhost(127.0.0.1)",
    SlurmctldPort: controller,
    SlurmdPort: node,
    // On the loopback interface nobody else is there to be told apart.
    CommunicationParameters: "NoCtldInAddrAny,NoInAddrAny",
    AuthType: "auth/none",
    CredType: "cred/none",
    // A job that is queued again waits as long as this, two minutes otherwise.
    AuthInfo: "cred_expire=5",
    SlurmUser: user,
    SlurmdUser: user,
    StateSaveLocation: path("state"),
    SlurmdSpoolDir: path("spool"),
    SlurmctldPidFile: path("slurmctld.pid"),
    SlurmdPidFile: path("slurmd.pid"),
    SlurmctldLogFile: path("slurmctld.log"),
    SlurmdLogFile: path("slurmd.log"),
    SlurmdParameters: "config_overrides",
    // Nothing of the kernel that containers lack.
    ProctrackType: "proctrack/linuxproc",
    TaskPlugin: "task/none",
    JobAcctGatherType: "jobacct_gather/none",
    AccountingStorageType: "accounting_storage/none",
    SwitchType: "switch/none",
    MpiDefault: "none",
    SelectType: "select/cons_tres",
    SelectTypeParameters: "CR_Core",
    ReturnToService: 2,
  };
  return [
    ...Object.entries(settings).map(([name, value]) => `${name}=${value}`),
    "NodeName=localhost NodeAddr=127.0.0.1 CPUs=4 State=UNKNOWN",
    "PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP\n",
  ].join("\n");
}
