import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { request } from "node:http";
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { spawnScript } from "@pillion/kit/testing";
import { identify, stillRunning } from "@pillion/procfs";
import { afterEach, beforeEach, expect, test } from "vitest";
import { portsOf, reservePorts } from "../ports.ts";
import { ask } from "../request.ts";
import { until } from "../until.ts";

const original = fileURLToPath(new URL("../../legacy-app/", import.meta.url));
const soon = () => AbortSignal.timeout(10_000);
let place: string;
let config: string;
let xml: string;

beforeEach(async () => {
  place = await mkdtemp(join(tmpdir(), "legacy-app-"));
  for (const part of ["config", "site"]) await cp(join(original, part), join(place, part), { recursive: true });
  config = join(place, "config", "app.xml");
  xml = await readFile(config, "utf8");
});
afterEach(() => rm(place, { recursive: true }));

async function startApp() {
  const reserved = await reservePorts(portsOf(() => 0));
  if (!("ports" in reserved)) throw new Error(reserved.problems.join("\n"));
  const port = reserved.ports.app;
  const args = ["--port", `${port}`, "--config", config, "--root", join(place, "site")];
  const app = spawnScript(join(original, "server.js"), args);
  await app.says(/listening on/);
  return Object.assign(app, { port, url: `http://127.0.0.1:${port}` });
}

async function statusOf(url: string): Promise<Readonly<Record<string, string>>> {
  const lines = (await ask(`${url}/status`, soon())).body.toString().trim().split("\n");
  return Object.fromEntries(lines.map((line) => line.split(/: (.*)/)));
}

test("a changed configuration takes effect with SIGHUP, in the same process", async () => {
  await using app = await startApp();
  const before = await statusOf(app.url);
  expect(before).toMatchObject({ greeting: "Good morning, harbor", configuration: "1" });
  await writeFile(
    config,
    xml.replace("Good morning, harbor", "Ahoy &amp; welcome").replace('version="1"', 'version="2"'),
  );
  app.process.kill("SIGHUP");
  await app.says(/configuration 2 loaded/);
  expect(await statusOf(app.url)).toMatchObject({ greeting: "Ahoy & welcome", configuration: "2", pid: before["pid"] });
  expect((await ask(`${app.url}/`, soon())).body.toString()).toContain("<h1>Ahoy &amp; welcome</h1>");
});

test("a configuration that it can't understand kills it and its worker, as such apps do", async () => {
  await using app = await startApp();
  const worker = identify(Number((await statusOf(app.url))["worker"]));
  if (!worker) throw new Error("there is no worker");
  await writeFile(config, xml.replace('seconds="0"', 'seconds="many"'));
  app.process.kill("SIGHUP");
  expect(await app.exited).toBe(1);
  expect(app.output()).toContain("cache seconds is not a number: many");
  await until(() => !stillRunning(worker), soon());
});

test("maintenance answers every page with 503, and /status goes on", async () => {
  await writeFile(config, xml.replace(">off<", ">on<"));
  await using app = await startApp();
  expect((await ask(`${app.url}/`, soon())).status).toBe(503);
  expect(await statusOf(app.url)).toMatchObject({ maintenance: "on" });
});

test("SIGTERM ends it with 0", async () => {
  await using app = await startApp();
  app.process.kill("SIGTERM");
  expect(await app.exited).toBe(0);
});

test.each(["/../config/app.xml", "/%2e%2e/config/app.xml", "/..%2fconfig%2fapp.xml", "/..\\config\\app.xml", "/.git"])(
  "%s doesn't leave the document root",
  async (path) => {
    await using app = await startApp();
    const asked = request({ host: "127.0.0.1", port: app.port, path, agent: false }).end();
    const [response] = (await once(asked, "response")) as [IncomingMessage];
    response.resume();
    expect(response.statusCode).toBe(403);
  },
);
