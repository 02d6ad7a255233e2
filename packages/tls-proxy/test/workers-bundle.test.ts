import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";
import { answering, OK, startRawApp } from "./raw-app.ts";
import { connectTo } from "./start-proxy.ts";
import { startWorkers } from "./start-workers.ts";

const bundle = fileURLToPath(new URL("../../../images/bundle.ts", import.meta.url));

test("what goes into the image starts workers", async () => {
  const directory = await mkdtemp(join(tmpdir(), "tls-proxy-bundle-"));
  onTestFinished(() => rm(directory, { recursive: true }));
  await promisify(execFile)(process.execPath, [bundle, directory]);
  await using app = await startRawApp(answering(OK));
  const stateDir = join(directory, "state");
  const flags = ["--app-port", `${app.port}`, "--state-dir", stateDir];
  await using proxy = await startWorkers(flags, join(directory, "tls-proxy/tls-proxy"));
  expect(proxy.workers()).toHaveLength(2);
  const ca = await readFile(join(stateDir, "development-ca/ca.pem"), "utf8");
  const client = await connectTo({ port: proxy.port, ca });
  client.send("GET / HTTP/1.1\r\nHost: app\r\n\r\n");
  await client.receives(/ok$/);
  client.socket.destroy();
  proxy.spawned.process.kill("SIGTERM");
  expect(await proxy.spawned.exited).toBe(0);
});
