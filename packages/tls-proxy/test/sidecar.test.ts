import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { once } from "node:events";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { spawnScript, startSidecar } from "@pillion/kit/testing";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { certificateOf, issueLeaf, keyOf, makeDevelopmentCa } from "../src/certificates/development-ca.ts";
import { tlsProxy } from "../src/index.ts";
import { OK, answering, startRawApp } from "./raw-app.ts";
import { connectTo, exchange } from "./start-proxy.ts";

const bin = fileURLToPath(new URL("../bin/tls-proxy.js", import.meta.url));
const get = "GET / HTTP/1.1\r\nHost: app\r\nConnection: close\r\n\r\n";
const portOf = (address = "") => Number(address.split(":").at(-1));

let stateDir: string;
beforeEach(async () => void (stateDir = await mkdtemp(join(tmpdir(), "tls-proxy-state-"))));
afterEach(() => rm(stateDir, { recursive: true }));
const path = (name: string) => join(stateDir, name);

/** What comes back on a connection without TLS, until it is closed. */
async function plainly(port: number, bytes: string): Promise<string> {
  const socket = connect(port, "127.0.0.1", () => socket.write(bytes));
  let received = "";
  socket.on("data", (piece) => (received += piece.toString("latin1"))).on("error", () => {});
  await new Promise((resolve) => socket.once("close", resolve));
  return received;
}
const developmentCa = () => readFile(path("development-ca/ca.pem"), "utf8");

async function writePair(name: string): Promise<string> {
  const ca = await makeDevelopmentCa(["localhost", "127.0.0.1"], new Date());
  const leaf = await issueLeaf(ca, ["localhost", "127.0.0.1"], new Date());
  await writeFile(path(`${name}.pem`), certificateOf(leaf));
  await writeFile(path(`${name}.key`), keyOf(leaf));
  return certificateOf(ca);
}

describe("in this process", () => {
  test("without a certificate it makes one, says so loudly, and serves the app", async () => {
    await using app = await startRawApp(answering(OK));
    await using proxy = await startSidecar(tlsProxy({ appPort: app.port, listen: "127.0.0.1:0", stateDir }));
    const ca = await developmentCa();
    expect(await exchange({ port: portOf(proxy.addresses["https"]), ca }, get)).toMatch(/200 OK/);
    expect(proxy.log).toContainEqual(
      expect.objectContaining({
        level: "warn",
        ca: path("development-ca/ca.pem"),
        msg: expect.stringContaining("DEVELOPMENT ONLY"),
      }),
    );
    const inForce = proxy.log.find(({ msg }) => msg === "certificate in force");
    expect(inForce).toMatchObject({ names: ["localhost", "127.0.0.1", "::1"] });
    expect(JSON.stringify(proxy.log)).not.toContain("PRIVATE");
    await vi.waitFor(async () =>
      expect((await proxy.get("/metrics")).text).toMatch(/tls_proxy_requests_total\{[^}]*code="2xx"[^}]*\} 1/),
    );
    const { text } = await proxy.get("/metrics");
    expect(text).toMatch(/tls_proxy_handshakes_total\{[^}]*outcome="TLSv1.3"[^}]*\} 1/);
    expect(text).toMatch(/tls_proxy_certificate_expiry_timestamp_seconds(\{[^}]*\})? \d{10}/);
    expect(await proxy.stop()).toBe(true);
  });

  test("plain HTTP to the port of HTTPS is told so, to a client without patience as well", async () => {
    await using app = await startRawApp(answering(OK));
    await using proxy = await startSidecar(tlsProxy({ appPort: app.port, listen: "127.0.0.1:0", stateDir }));
    const port = portOf(proxy.addresses["https"]);
    const hasty = connect(port, "127.0.0.1", () => hasty.write(get, () => hasty.resetAndDestroy()));
    await once(hasty, "close");
    for (const request of [get, get.replace("GET", "POST")]) {
      const answer = await plainly(port, request);
      expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n[^]*connection: close\r\n\r\n[^]*https:\/\//i);
      const [, length, body] = /content-length: (\d+)[^]*?\r\n\r\n([^]*)$/i.exec(answer) ?? [];
      expect(body).toHaveLength(Number(length));
    }
    expect(await plainly(port, "SSH-2.0-client\r\n")).not.toContain("HTTP");
    expect((await proxy.get("/metrics")).text).toMatch(/tls_proxy_handshakes_total\{[^}]*outcome="failed"[^}]*\} [34]/);
    expect(app.received).toHaveLength(0);
  });

  test("the app is away: ready, but degraded, until it answers", async () => {
    const app = await startRawApp(answering(OK));
    await using proxy = await startSidecar(
      tlsProxy({ appPort: app.port, listen: "127.0.0.1:0", stateDir, upstreamWait: 0 }),
    );
    const target = { port: portOf(proxy.addresses["https"]), ca: await developmentCa() };
    expect(await proxy.get("/readyz")).toMatchObject({ status: 200, text: expect.stringMatching(/^ready/) });
    await app[Symbol.asyncDispose]();
    expect(await exchange(target, get)).toMatch(/503/);
    expect(await proxy.get("/readyz")).toMatchObject({
      status: 200,
      text: expect.stringMatching(/^degraded: app: nothing answers at 127\.0\.0\.1:\d+ \(ECONNREFUSED\)/),
    });
  });

  test("reload: a bad pair is refused and the old one stays, degraded; a good one is served", async () => {
    await using app = await startRawApp(answering(OK));
    const first = await writePair("site");
    await using proxy = await startSidecar(
      tlsProxy({ appPort: app.port, listen: "127.0.0.1:0", cert: [path("site.pem")], key: [path("site.key")] }),
    );
    const port = portOf(proxy.addresses["https"]);
    await writeFile(path("site.key"), "broken");
    await proxy.reload();
    expect(await exchange({ port, ca: first }, get)).toMatch(/200 OK/);
    expect((await proxy.get("/readyz")).text).toMatch(
      /^degraded: certificate: refused, and what was good before stays: --key ".*site.key": holds no PEM/,
    );
    const second = await writePair("site");
    await proxy.reload();
    expect(await exchange({ port, ca: second }, get)).toMatch(/200 OK/);
    expect((await proxy.get("/readyz")).text).toMatch(/^ready/);
  });

  test("an expired certificate is served, and said to be", async () => {
    const old = new Date(Date.now() - 60 * 86_400_000);
    const leaf = await issueLeaf(await makeDevelopmentCa(["localhost"], old), ["localhost"], old);
    await writeFile(path("old.pem"), leaf);
    await using proxy = await startSidecar(
      tlsProxy({ appPort: 1, listen: "127.0.0.1:0", cert: [path("old.pem")], key: [path("old.pem")] }),
    );
    await vi.waitFor(async () =>
      expect((await proxy.get("/readyz")).text).toMatch(
        /^degraded: validity: --cert ".*old\.pem": .*expired at .*Put a new one/,
      ),
    );
  });
});

describe("as a process", () => {
  const listening = ["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"];
  const started = /"https":"127\.0\.0\.1:(\d+)"[^\n]*"msg":"started"/;

  test("called wrongly: all problems at once, exit 2", async () => {
    await using proxy = spawnScript(bin, ["--cert", "a.pem", "--host-name", "a b", "--listen", "nowhere"]);
    expect(await proxy.exited).toBe(2);
    for (const problem of [
      /--key.*--cert is given/,
      /--app-port.*missing/,
      /--host-name.*"a b".*host name/,
      /--listen.*nowhere/,
    ]) {
      expect(proxy.output()).toMatch(problem);
    }
  });

  test.for([["--app-port=abc"], ["--upstream=abc"], ["--app-port"]])(
    "%s is one problem, not also missing",
    async (args) => {
      await using proxy = spawnScript(bin, args);
      expect(await proxy.exited).toBe(2);
      expect(proxy.output()).toMatch(/^tls-proxy: a problem with the options\n.*(?:not a|needs a value).*\n$/);
    },
  );

  test.each([
    [["--cert", "a", "--cert", "b", "--key", "a"], /--key: is missing for 1 of 2 --cert\. Give each certificate/],
    [["--allow-client", "cn=web"], /--client-ca: is missing, and --allow-client is given\. Give the CAs/],
    [["--client-auth", "require"], /--client-ca: is missing, and --client-auth is given\. Give the CAs/],
    [["--client-ca", "ca", "--allow-client", "web"], /--allow-client.*"web".*not a rule.*cn=NAME, ou=NAME/],
    [["--client-ca", "ca", "--allow-client", "uri=spiffe://a/x*"], /--allow-client.*\* stands for a whole segment/],
    [["--client-ca", "ca", "--client-auth", "maybe"], /--client-auth.*maybe.*require, request/],
    [["--tls-policy", "old"], /--tls-policy.*old.*intermediate, modern/],
    [["--ticket-rotation", "1s"], /--ticket-rotation.*1s/],
  ])("%j: exit 2", async (args, problem) => {
    await using proxy = spawnScript(bin, ["--app-port", "1", ...args]);
    expect(await proxy.exited).toBe(2);
    expect(proxy.output()).toMatch(problem);
  });

  test("a key without its certificate: exit 2", async () => {
    await using proxy = spawnScript(bin, ["--app-port", "1", "--key", "a.key"]);
    expect(await proxy.exited).toBe(2);
    expect(proxy.output()).toMatch(/--cert.*--key is given/);
  });

  test.each([
    ["unreadable", "none.pem", "site.key", "CERTIFICATE_UNREADABLE"],
    ["unparsable", "site.key", "site.key", "CERTIFICATE_UNPARSABLE"],
    ["of another key", "site.pem", "other.key", "CERTIFICATE_KEY_MISMATCH"],
  ])("a certificate that is %s: exit 1 with its code", async (_name, cert, key, code) => {
    await writePair("site");
    await writePair("other");
    await using proxy = spawnScript(bin, ["--app-port", "1", "--cert", path(cert), "--key", path(key), ...listening]);
    expect(await proxy.exited).toBe(1);
    expect(proxy.output()).toContain(`"code":"${code}"`);
    expect(proxy.output()).not.toContain("PRIVATE");
  });

  test("a port in use and a state directory that is none: exit 1", async () => {
    await using app = await startRawApp(() => {});
    await using first = spawnScript(bin, [
      "--app-port",
      "1",
      "--state-dir",
      stateDir,
      ...listening,
      "--listen",
      `127.0.0.1:${app.port}`,
    ]);
    expect(await first.exited).toBe(1);
    expect(first.output()).toMatch(/LISTEN_FAILED.*in use.*--listen/);
    await writeFile(path("file"), "");
    await using second = spawnScript(bin, ["--app-port", "1", "--state-dir", path("file"), ...listening]);
    expect(await second.exited).toBe(1);
    expect(second.output()).toContain("STATE_DIRECTORY_NOT_WRITABLE");
  });

  test("SIGTERM: the request in flight is answered, then exit 0, and nothing is on stderr", async () => {
    await using app = await startRawApp(() => {});
    await using proxy = spawnScript(bin, ["--app-port", `${app.port}`, "--state-dir", stateDir, ...listening]);
    const port = Number((await proxy.says(started))[1]);
    const client = await connectTo({ port, ca: await developmentCa() });
    client.send(get);
    await vi.waitFor(() => expect(app.open.size).toBe(1));
    proxy.process.kill("SIGTERM");
    await proxy.says(/"stopping"/);
    for (const socket of app.open) socket.write(OK);
    expect(await client.closed).toMatch(/200 OK[^]*ok$/);
    expect(await proxy.exited).toBe(0);
    expect(
      proxy
        .output()
        .split("\n")
        .filter((line) => line && !line.startsWith("{")),
    ).toEqual([]);
  });

  test("SIGTERM with a request that never ends: says what it cut off, exit 1", async () => {
    await using app = await startRawApp(() => {});
    await using proxy = spawnScript(bin, [
      "--app-port",
      `${app.port}`,
      "--state-dir",
      stateDir,
      "--shutdown-timeout",
      "200ms",
      ...listening,
    ]);
    const port = Number((await proxy.says(started))[1]);
    const client = await connectTo({ port, ca: await developmentCa() });
    client.send(get.replace("/", "/endless?token=x"));
    await vi.waitFor(() => expect(app.open.size).toBe(1));
    proxy.process.kill("SIGTERM");
    expect(await proxy.exited).toBe(1);
    expect(proxy.output()).toMatch(/1 still in flight .* cut off: GET \/endless from 127\.0\.0\.1/);
  });

  test("SIGHUP takes up a renewed certificate; healthcheck says how it is", async () => {
    await using app = await startRawApp(answering(OK));
    await writePair("site");
    const address = ["--app-port", `${app.port}`, "--cert", path("site.pem"), "--key", path("site.key")];
    await using proxy = spawnScript(bin, [...address, ...listening]);
    const port = Number((await proxy.says(started))[1]);
    const renewed = await writePair("site");
    proxy.process.kill("SIGHUP");
    await proxy.says(/another certificate is in force/);
    expect(await exchange({ port, ca: renewed }, get)).toMatch(/200 OK/);
    const admin = /"admin":"([^"]+)"/.exec(proxy.output())?.[1] ?? "";
    await using probe = spawnScript(bin, ["healthcheck", "--admin-listen", admin]);
    expect([await probe.exited, probe.output()]).toEqual([0, expect.stringMatching(/^ready/)]);
  });
});
