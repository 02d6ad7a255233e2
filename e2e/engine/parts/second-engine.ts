import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout } from "node:timers/promises";
import { promisify } from "node:util";
import { docker } from "../../drivers/engine.ts";

const run = promisify(execFile);

/** An engine that has nothing yet, a small disk, and no way to any registry but those on loopback. */
export interface SecondEngine extends AsyncDisposable {
  /** For DOCKER_HOST. */
  readonly host: string;
  /** Where its disk is mounted. */
  readonly disk: string;
  docker(...args: readonly string[]): Promise<string>;
}

/** TEST-NET-2 (RFC 5737): nobody's. */
const SUBNET = "198.51.100.1/24";

/** Nothing of the machine's network is changed. */
const LEAVES_ALONE = ["--iptables=false", "--ip6tables=false", "--ip-forward=false", "--ip-masq=false"];

/** Needs root. `size` is the disk's, as mount(8) takes it for a tmpfs. */
export async function startSecondEngine(size: string): Promise<SecondEngine> {
  const directory = await mkdtemp(join(tmpdir(), "pillion-e2e-"));
  const disk = join(directory, "data");
  await mkdir(disk);
  await run("mount", ["-t", "tmpfs", "-o", `size=${size}`, "pillion-e2e", disk]);
  // not --bridge=none: that removes docker0, which is the first engine's (removeDefaultBridgeInterface in dockerd)
  const bridge = `pillion${process.pid}`;
  await run("ip", ["link", "add", bridge, "type", "bridge"]);
  await run("ip", ["address", "add", SUBNET, "dev", bridge]);
  const host = `unix://${join(directory, "engine.sock")}`;
  // port 9 is "discard" (RFC 863): nobody listens there
  const env = { ...process.env, HTTP_PROXY: "http://127.0.0.1:9", HTTPS_PROXY: "http://127.0.0.1:9", NO_PROXY: "" };
  const flags = [...places(directory, disk), `--host=${host}`, `--bridge=${bridge}`, ...LEAVES_ALONE];
  const daemon = spawn("dockerd", flags, { env, stdio: ["ignore", "ignore", "pipe"] });
  const [ended, log] = [once(daemon, "close"), text(daemon.stderr)];
  const remove = async () => {
    daemon.kill();
    await ended;
    await run("umount", ["--recursive", disk]);
    await run("ip", ["link", "delete", bridge]);
    await rm(directory, { recursive: true, force: true });
  };
  const ask = (...args: readonly string[]) => docker(`--host=${host}`, ...args);
  while (!(await ask("version").catch(() => undefined))) {
    if (daemon.exitCode !== null) {
      await remove();
      throw new Error(`dockerd ended with ${daemon.exitCode}: ${(await log).split("\n").slice(-5).join("\n")}`);
    }
    await setTimeout(100);
  }
  return { host, disk, docker: ask, [Symbol.asyncDispose]: remove };
}

function places(directory: string, disk: string): string[] {
  return [`--data-root=${disk}`, `--exec-root=${join(directory, "exec")}`, `--pidfile=${join(directory, "pid")}`];
}
