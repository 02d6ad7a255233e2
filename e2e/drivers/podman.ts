import { type ExecFileException, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";

/** A podman with a storage of its own: images, volumes and networks of the machine's user play no part. */
export interface Podman {
  /** Runs it. Resolves with what it wrote to stdout. @throws with its own words */
  run(...args: readonly string[]): Promise<string>;
  /** Both streams of a container, of all its starts. */
  log(container: string): Promise<string>;
  /** Copies images from the container engine that built them. */
  load(...images: readonly string[]): Promise<void>;
}

/** The network that pods are given: not the one of the machine's user, whose addresses podman doesn't know here. */
export const NETWORK = "pillion-e2e";

/** The podman whose everything lies in this directory. */
export function podmanIn(directory: string): Podman {
  const places = { root: "storage", runroot: "run", tmpdir: "tmp", "network-config-dir": "networks" };
  const own = Object.entries(places).map(([flag, name]) => `--${flag}=${join(directory, name)}`);
  const env = { ...process.env, CONTAINERS_CONF: join(directory, "containers.conf") };
  const call = (args: readonly string[]) => execute([...own, ...args], env);
  return {
    run: async (...args) => (await call(args)).stdout.trim(),
    async log(container) {
      const { stdout, stderr } = await call(["logs", container]);
      return stdout + stderr;
    },
    load: (...images) => copyImages(images, [...own, "load", "--quiet"], env),
  };
}

/** Writes down how it is to run here, and makes its network. */
export async function setUpPodman(directory: string): Promise<Podman> {
  await writeFile(join(directory, "containers.conf"), configuration());
  const podman = podmanIn(directory);
  // no DNS: it would be one more daemon, and nobody here asks for a name
  await podman.run("network", "create", "--disable-dns", NETWORK);
  return podman;
}

/** containers.conf(5). */
function configuration(): string {
  return [
    "[containers]",
    // its own defaults are above the hard limits of a root without CAP_SYS_RESOURCE
    'default_ulimits = ["nofile=20000:20000", "nproc=32768:32768"]',
    'log_driver = "k8s-file"',
    "[engine]",
    // works with and without systemd
    'cgroup_manager = "cgroupfs"',
    'events_logger = "file"',
    // crun refuses cgroups of which some controllers are in v1 and some in v2
    ...(existsSync("/sys/fs/cgroup/unified") ? ['runtime = "runc"'] : []),
    "[network]",
    'network_backend = "netavark"',
    "",
  ].join("\n");
}

async function execute(args: readonly string[], env: NodeJS.ProcessEnv): Promise<{ stdout: string; stderr: string }> {
  return await new Promise((resolve, reject) => {
    execFile("podman", args, { env, maxBuffer: 2 ** 26 }, (error: ExecFileException | null, stdout, stderr) => {
      if (!error) resolve({ stdout, stderr });
      else if (error.code === "ENOENT") reject(error);
      else reject(new Error(`podman ${args.slice(4).join(" ")}: ${stderr.trim() || error.message}`, { cause: error }));
    });
  });
}

async function copyImages(images: readonly string[], args: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
  const save = spawn("docker", ["save", ...images], { stdio: ["ignore", "pipe", "inherit"] });
  const load = spawn("podman", args, { env, stdio: ["pipe", "ignore", "inherit"] });
  const ends = [once(save, "close"), once(load, "close")];
  await pipeline(save.stdout, load.stdin);
  const codes = (await Promise.all(ends)).map(([code]) => code as unknown);
  if (codes.some((code) => code !== 0))
    throw new Error(`copying ${images.join(", ")} to podman: exit codes ${codes.join(", ")}`);
}
