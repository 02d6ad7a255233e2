import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { containerLog, docker } from "../drivers/engine.ts";
import { sidecarNames } from "../drivers/driver.ts";
import { ask } from "../scenarios/parts/ask.ts";
import { available, engine } from "./parts/available.ts";
import { clone } from "./parts/clone.ts";
import { type ComposeDemo, prepareDemo, remains, services } from "./parts/compose-demo.ts";
import { composes } from "./parts/compose.ts";
import { deathsSince } from "./parts/deaths.ts";
import { removeImages } from "./parts/images-of.ts";

for (const compose of composes) {
  describe.runIf(await available(engine, compose))(`the compose demo with ${compose.title}`, () => {
    let demo: ComposeDemo;
    let push: Awaited<ReturnType<typeof clone>>;

    beforeAll(async () => {
      demo = await prepareDemo(compose, "pillion-e2e");
      await demo.compose("up", "--detach", "--build");
      const greeting = async () => expect(await demo.status("greeting")).toBe("Good morning, harbor");
      await vi.waitFor(greeting, { timeout: 30_000, interval: 100 });
      push = await clone(`git://127.0.0.1:${demo.ports.git}/site`, demo.directory);
    }, 300_000);
    afterAll(async () => {
      await demo[Symbol.asyncDispose]();
      await removeImages("pillion-e2e");
    });

    test("HTTPS is verified against the CA in the proxy's container, and only against that", async () => {
      expect((await demo.askHttps("/")).text).toContain("<html");
      await expect(ask(`https://localhost:${demo.ports.https}/`)).rejects.toThrow(/certificate/);
    });

    test("topz shows the app and every sidecar", async () => {
      const page = async () => (await ask(`http://127.0.0.1:${demo.ports.topz}/topz`)).text;
      await expect.poll(page).toContain("node /app/server.js --port");
      for (const sidecar of sidecarNames) expect(await page()).toContain(` /${sidecar} --`);
    });

    test("what is pushed to its git server shows up", async () => {
      await push({ "fog.txt": "Fog until noon" });
      await expect.poll(async () => (await demo.askHttps("/fog.txt")).text).toBe("Fog until noon");
    });

    // before anything is changed: an app that dies soon after a change has refused it, and config-sync goes back
    test("the app that crashes is started again and served through the same proxy", async () => {
      const started = async (): Promise<string[]> => {
        const ids = await Promise.all((["pod", "tls-proxy"] as const).map((service) => demo.container(service)));
        return await Promise.all(ids.map((id) => docker("inspect", "--format={{.State.StartedAt}}", id)));
      };
      const before = await started();
      const app = (await demo.processes()).find(({ commandLine }) => commandLine.includes("server.js --port"));
      // detached: nobody waits for a command that dies with its container
      await docker("exec", "--detach", await demo.container("app"), "sh", "-c", `kill -KILL ${app?.pid}`);
      await expect.poll(async () => await restarts(demo)).toBe("1");
      await expect.poll(() => demo.status("greeting")).toBe("Good morning, harbor");
      expect(await started()).toEqual(before);
    });

    test("the app that was killed and started by hand is served, gets pages, and is signalled", async () => {
      const app = await demo.container("app");
      await docker("kill", app);
      await expect.poll(async () => (await demo.askHttps("/")).status).toBe(503);
      await docker("start", app);
      await expectEverythingToWork("after a kill");
    });

    test("sidecars that are restarted work on", async () => {
      await docker("restart", ...(await Promise.all(sidecarNames.map((name) => demo.container(name)))));
      await expectEverythingToWork("after a restart");
    });

    test("an edited app.xml is signalled; a broken one isn't, and config-sync is ready and degraded", async () => {
      await demo.configure((text) => text.replace(/(?<=<greeting>)[^<]*/, "Sound your horn"));
      await expect.poll(() => demo.status("greeting")).toBe("Sound your horn");
      const heard = await signalsHeard(demo);
      await demo.configure((text) => text.replace("</greeting>", "<greeting>"));
      await expect.poll(() => probe(demo)).toMatch(/^degraded: .*app\.xml/);
      expect(await demo.status("greeting")).toBe("Sound your horn");
      expect(await signalsHeard(demo)).toBe(heard);
      await demo.configure((text) => text.replace(/<greeting>[^<]*<greeting>/, "<greeting>All clear</greeting>"));
      await expect.poll(() => demo.status("greeting")).toBe("All clear");
      expect(await probe(demo)).toBe("ready");
    });

    test("every container has a read-only root, no capabilities, no new privileges and a limit of memory", async () => {
      for (const service of services) {
        const { HostConfig: host, Config: config } = await inspect(await demo.container(service));
        expect(host.ReadonlyRootfs, service).toBe(true);
        expect(host.Privileged, service).toBe(false);
        expect(host.CapDrop, service).toEqual(["ALL"]);
        expect(host.CapAdd ?? [], service).toEqual([]);
        expect(host.SecurityOpt, service).toContain("no-new-privileges:true");
        expect(host.Memory, service).toBeGreaterThan(0);
        expect(config.User, service).toBe("65532:65532");
      }
    });

    test("only the pod and the git server publish ports, on loopback", async () => {
      const published = await Promise.all(services.map(async (service) => inspect(await demo.container(service))));
      const bindings = published.flatMap(({ HostConfig }) => Object.values(HostConfig.PortBindings ?? {}).flat());
      const { https, topz, git } = demo.ports;
      const ports = [https, topz, git].map((port) => ({ HostIp: "127.0.0.1", HostPort: `${port}` }));
      expect(bindings).toHaveLength(ports.length);
      expect(bindings).toEqual(expect.arrayContaining(ports));
    });

    test("down ends every container with exit code 0 within seconds and leaves nothing", async () => {
      const since = Date.now();
      await demo.compose("down", "--volumes");
      const seconds = (Date.now() - since) / 1000;
      expect(await deathsSince(since, demo.project)).toEqual(Object.fromEntries(services.map((name) => [name, 0])));
      expect(seconds).toBeLessThan(8);
      expect(await remains(demo.project)).toEqual([]);
    });

    async function expectEverythingToWork(word: string): Promise<void> {
      await push({ "word.txt": word });
      await expect.poll(async () => (await demo.askHttps("/word.txt").catch(() => undefined))?.text).toBe(word);
      await demo.configure((text) => text.replace(/(?<=<greeting>)[^<]*/, word));
      await expect.poll(() => demo.status("greeting")).toBe(word);
      await expect
        .poll(async () => (await demo.processes()).map(({ commandLine }) => commandLine).join("\n"))
        .toContain("server.js --port");
    }
  });
}

async function signalsHeard(demo: ComposeDemo): Promise<number> {
  return (await containerLog(await demo.container("app"))).split(" loaded").length - 1;
}

/** What config-sync's `/readyz` says, with status 200. */
async function probe(demo: ComposeDemo): Promise<string> {
  return await docker("exec", await demo.container("config-sync"), "/healthcheck");
}

async function restarts(demo: ComposeDemo): Promise<string> {
  return await docker("inspect", "--format={{.RestartCount}}", await demo.container("app"));
}

interface Inspected {
  readonly Config: { readonly User: string };
  readonly HostConfig: {
    readonly ReadonlyRootfs: boolean;
    readonly Privileged: boolean;
    readonly CapDrop: readonly string[];
    readonly CapAdd: readonly string[] | null;
    readonly SecurityOpt: readonly string[];
    readonly Memory: number;
    readonly PortBindings: Readonly<Record<string, readonly unknown[]>> | null;
  };
}

async function inspect(id: string): Promise<Inspected> {
  return (JSON.parse(await docker("inspect", id)) as [Inspected])[0];
}
