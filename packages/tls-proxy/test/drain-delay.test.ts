import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { spawnScript } from "@pillion/kit/testing";
import { afterEach, beforeEach, expect, test } from "vitest";
import { OK, answering, startRawApp } from "./raw-app.ts";
import { type RawClient, connectTo } from "./start-proxy.ts";

const bin = fileURLToPath(new URL("../bin/tls-proxy.js", import.meta.url));
const REQUEST = "GET / HTTP/1.1\r\nHost: app\r\n\r\n";
const CLOSING = /Connection: close\r\n[^]*ok$/;

let stateDir: string;
beforeEach(async () => void (stateDir = await mkdtemp(join(tmpdir(), "tls-proxy-delay-"))));
afterEach(() => rm(stateDir, { recursive: true }));

/** Asks again and again on one connection, until it is closed. @returns all answers */
async function askUntilClosed(client: RawClient): Promise<string> {
  client.send(REQUEST);
  const again = setInterval(() => client.send(REQUEST), 50);
  return await client.closed.finally(() => clearInterval(again));
}

test.each([
  ["relay", "1"],
  ["relay", "2"],
  ["http-proxy", "1"],
  ["http-proxy", "2"],
])(
  "engine %s, %s workers: during the drain delay each connection ends with an answer that says so, and new ones are taken",
  async (engine, workers) => {
    await using app = await startRawApp(answering(OK));
    const places = ["--listen", "127.0.0.1:0", "--redirect-listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"];
    const flags = ["--engine", engine, "--workers", workers, "--drain-delay", "1m", "--state-dir", stateDir];
    await using proxy = spawnScript(bin, ["--app-port", `${app.port}`, ...places, ...flags]);
    const [line] = await proxy.says(/^.*"msg":"started".*$/m);
    const { https = "", http = "", admin = "" } = JSON.parse(line) as Record<string, string>;
    const portOf = (address: string) => Number(address.split(":").at(-1));
    const server = { port: portOf(https), ca: await readFile(join(stateDir, "development-ca/ca.pem"), "utf8") };
    const kept = await connectTo(server);
    kept.send(REQUEST);
    expect(await kept.receives(/ok$/)).not.toMatch(CLOSING);

    proxy.process.kill("SIGTERM");
    await proxy.says(/"msg":"stopping"/);
    expect(await askUntilClosed(kept)).toMatch(CLOSING);
    expect(await askUntilClosed(await connectTo(server))).toMatch(CLOSING);
    const plain = connect(portOf(http), "127.0.0.1");
    plain.write(REQUEST);
    expect(String((await once(plain, "data"))[0])).toMatch(/^HTTP\/1\.1 308 [^]*\r\nConnection: close\r\n/i);
    plain.destroy();
    expect((await fetch(`http://${admin}/readyz`)).status).toBe(503);
  },
);
