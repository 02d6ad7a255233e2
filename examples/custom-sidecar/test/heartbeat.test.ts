import { once } from "node:events";
import { mkdtempDisposable, writeFile } from "node:fs/promises";
import { type IncomingMessage, type Server, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { spawnScript, startSidecar } from "@pillion/kit/testing";
import { expect, onTestFinished, test } from "vitest";
import { heartbeat } from "../heartbeat.ts";

const here = import.meta.dirname;

interface Receiver {
  readonly url: string;
  readonly beats: IncomingMessage[];
  status: number;
}

/** A real receiver of beats. */
async function startReceiver(): Promise<Receiver> {
  const server: Server = createServer((request, response) => {
    receiver.beats.push(request);
    response.writeHead(receiver.status).end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const receiver: Receiver = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    beats: [],
    status: 204,
  };
  return receiver;
}

test("beats are sent, counted, and a receiver that refuses them makes the sidecar degraded until it takes them again", async () => {
  const receiver = await startReceiver();
  await using sidecar = await startSidecar(heartbeat({ url: receiver.url, every: "100ms" }));
  await expect.poll(() => receiver.beats.length).toBeGreaterThan(1);
  expect((await sidecar.get("/readyz")).text).toBe("ready\n");
  receiver.status = 500;
  await expect
    .poll(async () => (await sidecar.get("/readyz")).text)
    .toMatch(/^degraded: loop: receiver .* answered 500/);
  receiver.status = 204;
  await expect.poll(async () => (await sidecar.get("/readyz")).text, { timeout: 5_000 }).toBe("ready\n");
  expect((await sidecar.get("/metrics")).text).toMatch(/heartbeat_beats_total\{outcome="ok"\} \d/);
});

test("as a command it takes the token from a file, shows it nowhere, and ends with 0 on SIGTERM", async () => {
  const receiver = await startReceiver();
  await using directory = await mkdtempDisposable(join(tmpdir(), "heartbeat-"));
  const token = join(directory.path, "token");
  await writeFile(token, "hush-hush\n");
  await using command = spawnScript(join(here, "../main.ts"), [
    `--url=${receiver.url}`,
    `--token-file=${token}`,
    "--admin-listen=127.0.0.1:0",
  ]);
  const [, admin] = await command.says(/"admin":"([^"]+)"/);
  await expect.poll(() => receiver.beats[0]?.headers.authorization).toBe("Bearer hush-hush");
  expect(await (await fetch(`http://${admin}/config`)).json()).toEqual({
    heartbeat: { url: receiver.url, every: "10000ms", token: "[redacted]" },
  });
  command.process.kill("SIGTERM");
  expect(await command.exited).toBe(0);
  expect(command.output()).not.toContain("hush-hush");
});

test("called wrongly it names every problem and ends with 2", async () => {
  await using command = spawnScript(join(here, "../main.ts"), ["--every=soon", "--beat"]);
  expect(await command.exited).toBe(2);
  expect(command.output()).toMatch(/--url: required/);
  expect(command.output()).toMatch(/--every "soon": not a duration/);
  expect(command.output()).toMatch(/--beat: no such option/);
});

test("beside topz in one process both are named by /readyz, and each has its routes and metrics", async () => {
  const { url } = await startReceiver();
  await using command = spawnScript(join(here, "../two-in-one.ts"), ["--admin-listen=127.0.0.1:0"], { BEATS_URL: url });
  const [, admin] = await command.says(/"admin":"([^"]+)"/);
  const get = async (path: string) => (await fetch(`http://${admin}${path}`)).text();
  await expect.poll(() => get("/readyz")).toBe("topz: ready\nheartbeat: ready\n");
  expect(await get("/topz/topz?header=1&sort=cpu")).toMatch(/^\s+PID\s+%CPU/);
  expect(await get("/topz/")).toContain("<title>topz</title>");
  const metrics = await get("/metrics");
  expect(metrics).toMatch(/^topz_processes\{/m);
  expect(metrics).toMatch(/^heartbeat_beats_total\{outcome="ok"\}/m);
  command.process.kill("SIGTERM");
  expect(await command.exited).toBe(0);
});
