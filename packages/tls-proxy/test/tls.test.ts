import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { connect as connectPlain } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ConnectionOptions, connect } from "node:tls";
import { promisify } from "node:util";
import { expect, test, vi } from "vitest";
import { issueLeaf, makeDevelopmentCa } from "../src/certificates/development-ca.ts";
import { OK, answering, startRawApp } from "./raw-app.ts";
import { type StartedProxy, connectTo, exchange, startProxy } from "./start-proxy.ts";

const run = promisify(execFile);
const get = "GET / HTTP/1.1\r\nHost: app\r\nConnection: close\r\n\r\n";

test("curl gets the app's answer with nothing but the CA to trust", async () => {
  await using app = await startRawApp(answering(OK));
  await using proxy = await startProxy(app.port);
  for (const name of ["localhost", "127.0.0.1"]) {
    const { stdout } = await run("curl", [
      "-sS",
      "--http1.1",
      "--cacert",
      proxy.caPath,
      `https://${name}:${proxy.port}/`,
    ]);
    expect(stdout).toBe("ok");
  }
  await expect(run("curl", ["-sS", `https://localhost:${proxy.port}/`])).rejects.toThrow(/certificate/);
});

test.each(["TLSv1.3", "TLSv1.2"] as const)("%s is spoken", async (version) => {
  await using proxy = await startProxy(1);
  const { protocol } = await handshake(proxy, { minVersion: version, maxVersion: version });
  expect(protocol).toBe(version);
  await vi.waitFor(() => expect(proxy.told).toContain(`handshake ${version}`));
});

test("the hybrid post-quantum group is spoken", async () => {
  await using proxy = await startProxy(1);
  expect(await handshake(proxy, { ecdhCurve: "X25519MLKEM768" })).toMatchObject({ protocol: "TLSv1.3" });
});

test.each<[string, ConnectionOptions]>([
  ["TLS 1.1", { minVersion: "TLSv1.1", maxVersion: "TLSv1.1", ciphers: "DEFAULT@SECLEVEL=0" }],
  ["CBC suites", { maxVersion: "TLSv1.2", ciphers: "ECDHE-ECDSA-AES128-SHA256:ECDHE-ECDSA-AES128-SHA" }],
  ["only h3", { ALPNProtocols: ["h3"] }],
])("a client that offers %s is refused, and counted", async (_name, options) => {
  await using proxy = await startProxy(1);
  await expect(handshake(proxy, options)).rejects.toThrow(/alert|ECONNRESET|disconnected/);
  await vi.waitFor(() => expect(proxy.told.join()).toMatch(/^handshake failed ERR_SSL/));
});

test("plain HTTP, noise and a client that leaves in the handshake break nothing", async () => {
  await using app = await startRawApp(answering(OK));
  await using proxy = await startProxy(app.port);
  for (const bytes of [get, "\x16\x03\x01\x00\x05hello", "\x00".repeat(1000)]) {
    const socket = connectPlain(proxy.port, "127.0.0.1").on("error", () => {});
    socket.resume().write(bytes, "latin1");
    await once(socket, "close");
  }
  const silent = connectPlain(proxy.port, "127.0.0.1");
  await once(silent, "connect");
  silent.destroy();
  await vi.waitFor(() => expect(proxy.told.filter((line) => line.startsWith("handshake failed"))).toHaveLength(4));
  expect(await exchange(proxy, get)).toMatch(/200 OK/);
});

test("openssl s_client verifies the chain", async () => {
  await using proxy = await startProxy(1);
  const child = run("openssl", [
    "s_client",
    "-connect",
    `127.0.0.1:${proxy.port}`,
    "-servername",
    "localhost",
    "-CAfile",
    proxy.caPath,
    "-verify_return_error",
    "-verify_hostname",
    "localhost",
  ]);
  child.child.stdin?.end();
  const { stdout } = await child;
  expect(stdout).toContain("Verify return code: 0 (ok)");
});

test("another certificate serves new connections, and the old ones live on", async () => {
  await using app = await startRawApp(answering(OK));
  const directory = await mkdtemp(join(tmpdir(), "tls-proxy-swap-"));
  const path = join(directory, "pair.pem");
  const ca = await makeDevelopmentCa(["localhost"], new Date());
  await writeFile(path, await issueLeaf(ca, ["localhost"], new Date()));
  await using proxy = await startProxy(app.port, { files: { cert: [path], key: [path] } });
  const old = await connectTo({ ...proxy, ca });
  const before = await handshake({ ...proxy, ca });
  await writeFile(path, await issueLeaf(ca, ["localhost"], new Date()));
  await proxy.certificates.reload();
  expect((await handshake({ ...proxy, ca })).fingerprint).not.toBe(before.fingerprint);
  old.send(get);
  expect(await old.closed).toMatch(/200 OK/);
  await rm(directory, { recursive: true });
});

test("a head that trickles in is cut off with 408, a connection that says nothing without a word", async () => {
  await using proxy = await startProxy(1, {
    engine: "http-proxy",
    httpProxy: { headersTimeout: 200, connectionsCheckingInterval: 50, stallTimeout: 400 },
  });
  const slow = await connectTo(proxy);
  slow.send("GET / HTTP/1.1\r\nHost: ap");
  expect(await slow.closed).toMatch(/^HTTP\/1.1 408 Request Timeout\r\n/);
  const silent = await connectTo(proxy);
  await silent.closed;
});

test("an upload that stalls is cut off; an answer that takes its time isn't", async () => {
  await using app = await startRawApp((socket, received) => {
    if (received.includes("/slow")) setTimeout(() => socket.write(OK), 700);
  });
  await using proxy = await startProxy(app.port, { engine: "http-proxy", httpProxy: { stallTimeout: 200 } });
  const upload = await connectTo(proxy);
  upload.send("POST /upload HTTP/1.1\r\nHost: app\r\nContent-Length: 10\r\n\r\nhalf");
  await upload.closed;
  await vi.waitFor(() => expect(app.open.size).toBe(0));
  expect(await exchange(proxy, get.replace("/ ", "/slow "))).toMatch(/200 OK/);
});

test("an RSA certificate made by openssl serves as well", async () => {
  const directory = await mkdtemp(join(tmpdir(), "tls-proxy-rsa-"));
  const [cert, key] = [join(directory, "cert.pem"), join(directory, "key.pem")];
  await run("openssl", [
    "req",
    "-x509",
    "-newkey",
    "rsa:2048",
    "-nodes",
    "-subj",
    "/CN=rsa",
    "-addext",
    "subjectAltName=DNS:localhost",
    "-keyout",
    key,
    "-out",
    cert,
  ]);
  await using proxy = await startProxy(1, { files: { cert: [cert], key: [key] } });
  expect((await handshake({ ...proxy, ca: await readFile(cert, "utf8") }, { maxVersion: "TLSv1.2" })).cipher).toMatch(
    /^ECDHE-RSA-/,
  );
  await rm(directory, { recursive: true });
});

async function handshake({ port, ca }: Pick<StartedProxy, "port" | "ca">, options: ConnectionOptions = {}) {
  const socket = connect({ port, host: "127.0.0.1", servername: "localhost", ca, ...options });
  await once(socket, "secureConnect");
  const met = {
    protocol: socket.getProtocol(),
    cipher: socket.getCipher().name,
    fingerprint: socket.getPeerCertificate().fingerprint256,
  };
  socket.resume().end();
  await once(socket, "close");
  return met;
}
