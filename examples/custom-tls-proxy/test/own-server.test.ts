import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempDisposable, readFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "node:tls";
import { expect, test } from "vitest";
import { ownServer } from "../own-server.ts";
import { ask } from "./ask.ts";
import { type App, startApp } from "./start-app.ts";

/** A certificate of its own CA, as openssl makes one. */
async function selfSigned() {
  await using directory = await mkdtempDisposable(join(tmpdir(), "own-server-"));
  const [key, cert] = [join(directory.path, "key.pem"), join(directory.path, "cert.pem")];
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  const names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"];
  execFileSync("openssl", ["req", "-x509", ...curve, ...names, "-keyout", key, "-out", cert], { stdio: "ignore" });
  return { key: await readFile(key, "utf8"), cert: await readFile(cert, "utf8") };
}

async function startOwnServer(app: App) {
  const certificate = await selfSigned();
  const [server, relay] = ownServer(app.port, certificate);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    ca: certificate.cert,
    relay,
    async [Symbol.asyncDispose]() {
      server.close();
      expect(await relay.drain(AbortSignal.timeout(5_000))).toEqual([]);
      await once(server, "close");
    },
  };
}

test("requests reach the app with their origin, bodies both ways, and one beyond the limit doesn't", async () => {
  await using app = await startApp((request, response) => void request.pipe(response));
  await using server = await startOwnServer(app);
  const answer = await ask({ ...server, method: "POST", headers: { "X-Forwarded-For": "6.6.6.6" } }, "hello");
  expect(answer).toMatchObject({ status: 200, body: "hello" });
  expect(app.requests[0]?.headers).toMatchObject({ "x-forwarded-for": "127.0.0.1", "x-forwarded-proto": "https" });
  const tooMuch = await ask({ ...server, method: "POST" }, "x".repeat(1024 * 1024 + 1));
  expect(tooMuch.status).toBe(413);
  expect(app.requests).toHaveLength(1);
});

test("what could be read in two ways is refused", async () => {
  await using app = await startApp((_request, response) => void response.end());
  await using server = await startOwnServer(app);
  const socket = connect({ port: server.port, host: "localhost", ca: server.ca });
  socket.write("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
  const pieces = await socket.toArray();
  expect(Buffer.concat(pieces).toString()).toMatch(/^HTTP\/1\.1 400 /);
  expect(app.requests).toHaveLength(0);
});
