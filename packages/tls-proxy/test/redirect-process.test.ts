import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { spawnScript, startSidecar } from "@pillion/kit/testing";
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { tlsProxy } from "../src/index.ts";
import { OK, startRawApp } from "./raw-app.ts";

const run = promisify(execFile);
const bin = fileURLToPath(new URL("../bin/tls-proxy.js", import.meta.url));

let stateDir: string;
beforeEach(async () => void (stateDir = await mkdtemp(join(tmpdir(), "tls-proxy-redirect-"))));
afterEach(() => rm(stateDir, { recursive: true }));
const path = (name: string) => join(stateDir, name);
const portOf = (address = "") => Number(address.split(":").at(-1));
const listening = () => ["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--state-dir", stateDir];

async function startApp(): Promise<number> {
  const app = createServer((request, response) => response.end(`${request.method} ${request.url}`));
  app.listen(0, "127.0.0.1");
  await once(app, "listening");
  onTestFinished(() => void app.close());
  return (app.address() as AddressInfo).port;
}

test("curl follows from plain HTTP to HTTPS with path, query and method; the answers are counted", async () => {
  const addresses = { listen: "127.0.0.1:0", redirectListen: "127.0.0.1:0", stateDir };
  await using proxy = await startSidecar(tlsProxy({ appPort: await startApp(), ...addresses }));
  const plain = portOf(proxy.addresses["http"]);
  const trusting = ["-sS", "-L", "--path-as-is", "--cacert", path("development-ca/ca.pem")];
  const { stdout } = await run("curl", [...trusting, "-d", "x=1", `http://localhost:${plain}/a/../b%2F?q=%20`]);
  expect(stdout).toBe("POST /a/../b%2F?q=%20");
  await expect(run("curl", [...trusting, "-H", "Host: a@b", "-f", `http://localhost:${plain}/`])).rejects.toThrow(
    /400/,
  );
  const token = "/.well-known/acme-challenge/abc-_9";
  expect((await run("curl", ["-sS", `http://localhost:${plain}${token}`])).stdout).toBe(`GET ${token}`);
  const { text } = await proxy.get("/metrics");
  for (const outcome of ["redirected", "refused", "challenge"])
    expect(text).toMatch(new RegExp(`^tls_proxy_plain_requests_total\\{[^}]*outcome="${outcome}"[^}]*\\} 1$`, "m"));
});

test("the redirect's port is in use: exit 1, and its option is named", async () => {
  await using taken = await startRawApp(() => {});
  const address = `127.0.0.1:${taken.port}`;
  await using proxy = spawnScript(bin, ["--app-port", "1", ...listening(), "--redirect-listen", address]);
  expect(await proxy.exited).toBe(1);
  expect(proxy.output()).toMatch(
    new RegExp(`"LISTEN_FAILED".*--redirect-listen .*${address}.*in use.*another with --redirect-listen`),
  );
});

test("in a program of its own, a start that fails at the redirect leaves nothing that listens", async () => {
  await using taken = await startRawApp(() => {});
  const free = await startRawApp(() => {});
  await free[Symbol.asyncDispose]();
  const [listen, redirectListen] = [`127.0.0.1:${free.port}`, `127.0.0.1:${taken.port}`];
  await expect(startSidecar(tlsProxy({ appPort: 1, listen, redirectListen, stateDir }))).rejects.toThrow(/in use/);
  await expect(fetch(`http://${listen}/`)).rejects.toMatchObject({ cause: { code: "ECONNREFUSED" } });
});

test("SIGTERM waits for a challenge that is under way, then exits with 0", async () => {
  await using app = await startRawApp(() => {});
  const flags = ["--app-port", `${app.port}`, ...listening(), "--redirect-listen", "127.0.0.1:0"];
  await using proxy = spawnScript(bin, flags);
  const [, plain] = await proxy.says(/"http":"([^"]+)"[^\n]*"msg":"started"/);
  const answer = fetch(`http://${plain}/.well-known/acme-challenge/abc`);
  await vi.waitFor(() => expect(app.open.size).toBe(1));
  proxy.process.kill("SIGTERM");
  await proxy.says(/"stopping"/);
  for (const socket of app.open) socket.write(OK);
  expect(await (await answer).text()).toBe("ok");
  expect(await proxy.exited).toBe(0);
});

test("SIGTERM with a challenge that never ends: it is named, exit 1", async () => {
  await using app = await startRawApp(() => {});
  const flags = ["--app-port", `${app.port}`, ...listening(), "--redirect-listen", "127.0.0.1:0"];
  await using proxy = spawnScript(bin, [...flags, "--shutdown-timeout", "200ms"]);
  const [, plain] = await proxy.says(/"http":"([^"]+)"[^\n]*"msg":"started"/);
  const answer = fetch(`http://${plain}/.well-known/acme-challenge/abc`).catch((error: Error) => error.message);
  await vi.waitFor(() => expect(app.open.size).toBe(1));
  proxy.process.kill("SIGTERM");
  expect(await proxy.exited).toBe(1);
  expect(proxy.output()).toMatch(/1 still in flight .*GET \/\.well-known\/acme-challenge\/abc \(plain\)/);
  expect(await answer).toBe("fetch failed");
});
