import { spawnScript, type Spawned } from "@pillion/kit/testing";
import { readFileSync, readdirSync, readlinkSync } from "node:fs";
import { fileURLToPath } from "node:url";

const bin = fileURLToPath(new URL("../bin/tls-proxy.js", import.meta.url));

/** tls-proxy with two workers, as processes. */
export interface StartedWorkers extends AsyncDisposable {
  readonly spawned: Spawned;
  readonly port: number;
  readonly pid: number;
  /** The pids of the workers that live. */
  workers(): number[];
  /** How many client connections each worker has, in the order of `workers()`. */
  spread(): number[];
  get(path: string): Promise<string>;
  /** The value of a sample such as `connections` or `requests_total{code="2xx"}`. */
  metric(name: string): Promise<number>;
}

/** @param script what is started; the package's own command unless it is a bundle */
export async function startWorkers(flags: readonly string[], script = bin): Promise<StartedWorkers> {
  const free = ["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"];
  const spawned = spawnScript(script, ["--workers", "2", ...free, ...flags]);
  const [line] = await spawned.says(/^.*"msg":"started".*$/m);
  const { https, tls = https, admin } = JSON.parse(line) as Record<string, string>;
  const port = Number(tls?.split(":").at(-1));
  const pid = spawned.process.pid ?? 0;
  const get = async (path: string) => await (await fetch(`http://${admin}${path}`)).text();
  return {
    spawned,
    port,
    pid,
    get,
    workers: () => childrenOf(pid),
    spread: () => childrenOf(pid).map((worker) => connectionsOf(worker, port)),
    async metric(name) {
      const lines = (await get("/metrics")).split("\n");
      return Number(
        lines
          .find((one) => one.startsWith(`tls_proxy_${name} `))
          ?.split(" ")
          .at(-1),
      );
    },
    async [Symbol.asyncDispose]() {
      await spawned[Symbol.asyncDispose]();
    },
  };
}

export function childrenOf(parent: number): number[] {
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return pids.map(Number).filter((pid) => parentOf(pid) === parent);
}

/** Of what has ended, and waits to be reaped, it is nobody. */
function parentOf(pid: number): number | undefined {
  try {
    const [state, parent] = readFileSync(`/proc/${pid}/stat`, "latin1")
      .replace(/^.*\) /s, "")
      .split(" ");
    return state === "Z" ? undefined : Number(parent);
  } catch {
    return undefined;
  }
}

/** Established connections of a process that came to a port. */
function connectionsOf(pid: number, port: number): number {
  const local = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  const rows = readFileSync(`/proc/${pid}/net/tcp`, "latin1")
    .split("\n")
    .map((row) => row.trim().split(/\s+/));
  const inodes = rows.filter(([, address, , state]) => address?.endsWith(local) && state === "01").map((row) => row[9]);
  const open = new Set(readdirSync(`/proc/${pid}/fd`).map((descriptor) => target(`/proc/${pid}/fd/${descriptor}`)));
  return inodes.filter((inode) => open.has(`socket:[${inode}]`)).length;
}

function target(link: string): string {
  try {
    return readlinkSync(link);
  } catch {
    return "";
  }
}
