import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type Spawned, spawnScript } from "@pillion/kit/testing";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { available } from "./available.ts";

const run = promisify(execFile);
const bin = fileURLToPath(new URL("../bin/tls-proxy.js", import.meta.url));
const inNamespace = fileURLToPath(new URL("fixtures/in-namespace.ts", import.meta.url));
const namespaces = await available("network-namespace", "unshare", "--net", "ip", "link", "set", "lo", "up");

/** As with a container: one end of a virtual cable is in its network namespace, the other in the machine's. */
describe.runIf(namespaces)("in a network namespace of its own", () => {
  const own = `tls-proxy-${process.pid}`;
  const machine = `${own}-machine`;
  const ip = async (...words: string[]) => void (await run("ip", words));
  const plugIn = async (device: string, address: string) => {
    await ip("-n", own, "link", "add", device, "type", "veth", "peer", "name", device, "netns", machine);
    await ip("-n", machine, "link", "set", device, "up");
    await ip("-n", own, "address", "add", address, "dev", device);
    await ip("-n", own, "link", "set", device, "up");
    await vi.waitFor(async () => {
      const { stdout } = await run("ip", ["-n", own, "link", "show", device]);
      expect(stdout).toMatch(/LOWER_UP.* state UP /);
    }, 10_000);
  };
  const unplug = (device: string) => ip("-n", machine, "link", "delete", device);
  let stateDir: string;
  beforeEach(async () => {
    stateDir = await mkdtemp(join(tmpdir(), "tls-proxy-network-"));
    for (const name of [own, machine]) await ip("netns", "add", name);
    await ip("-n", own, "link", "set", "lo", "up");
  });
  afterEach(async () => {
    for (const name of [own, machine]) await ip("netns", "delete", name);
    await rm(stateDir, { recursive: true });
  });

  async function start(...flags: string[]): Promise<Spawned> {
    const listening = ["--listen", ":0", "--admin-listen", "127.0.0.1:0"];
    const options = ["--app-port", "1", "--state-dir", stateDir, "--network-watch", "20ms"];
    const proxy = spawnScript(inNamespace, [own, bin, ...options, ...listening, ...flags]);
    await proxy.says(/"msg":"started"/);
    return proxy;
  }
  const ends = async (proxy: Spawned) => {
    proxy.process.kill("SIGTERM");
    return await proxy.exited;
  };
  // That it looked and found nothing wrong shows nowhere: this is the time of 25 looks.
  const lookedOften = () => new Promise((resolve) => setTimeout(resolve, 500));

  test("its interfaces go: it says so, and exits with 1", async () => {
    await plugIn("app0", "192.0.2.1/24");
    await using proxy = await start();
    await unplug("app0");
    expect(await proxy.exited).toBe(1);
    expect(proxy.output()).toMatch(/"state":"degraded"[^\n]*"msg":"network: every interface but loopback has gone/);
    expect(proxy.output()).toMatch(/"level":"error"[^\n]*"code":"NETWORK_LOST"[^\n]*restart policy/);
    expect(proxy.output()).toMatch(/"stopped: network: every interface[^\n]*\n$/);
  });

  test("an interface that loses its link and its address, but is there: it stays, and so with another in its place", async () => {
    await plugIn("app0", "192.0.2.1/24");
    await using proxy = await start();
    await ip("-n", own, "address", "flush", "dev", "app0");
    await ip("-n", own, "link", "set", "app0", "down");
    await lookedOften();
    await plugIn("app1", "192.0.2.2/24");
    await lookedOften();
    await unplug("app0");
    await lookedOften();
    expect(proxy.output()).not.toMatch(/network:/);
    expect(await ends(proxy)).toBe(0);
  });

  test("only loopback from the start: there is nothing to lose", async () => {
    await using proxy = await start();
    await lookedOften();
    expect(await ends(proxy)).toBe(0);
  });

  test("--network-watch 0: it stays", async () => {
    await plugIn("app0", "192.0.2.1/24");
    await using proxy = await start("--network-watch", "0");
    await unplug("app0");
    await lookedOften();
    expect(await ends(proxy)).toBe(0);
  });
});
