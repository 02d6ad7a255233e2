import { createHash, X509Certificate } from "node:crypto";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { open, sClient } from "./handshake.ts";
import { asked, clients, field, get, issue, path, start, strangers, web } from "./judged-clients.ts";
import type { Issued } from "./pki.ts";

test("the app is told who the client is, and the client can't say it itself", async () => {
  await using proxy = await start();
  const forged = ["Client-Cert", "client_cert", "X-Client-Cert-Subject", "X_Client_Cert_DNS", "X-SSL-Client-Verify"];
  expect(await get(proxy.port, web, forged.map((name) => `${name}: forged\r\n`).join(""))).toMatch(/200 OK/);
  const certificate = new X509Certificate(web.cert);
  expect(asked).not.toContain("forged");
  expect(field("Client-Cert")).toBe(`:${certificate.raw.toString("base64")}:`);
  expect(field("X-Client-Cert-Subject")).toBe("CN=web,OU=shop,O=Example");
  expect(field("X-Client-Cert-DNS")).toBe("web.test");
  expect(field("X-Client-Cert-URI")).toBe("spiffe://a.test/ns/x/sa/web");
  expect(field("X-Client-Cert-Fingerprint")).toBe(createHash("sha256").update(certificate.raw).digest("hex"));
});

test("without --client-ca nobody is asked, and nobody can pretend", async () => {
  await using proxy = await start({ clientCa: undefined });
  expect(await get(proxy.port, web, "Client-Cert: forged\r\nX-Client-Cert-DNS: forged\r\n")).toMatch(/200 OK/);
  expect(asked).not.toMatch(/client-cert/i);
  expect(await sClient(proxy.port, "app.test")).toMatch(/No client certificate CA names sent/);
});

test.each<[string, () => Promise<Issued | undefined>, RegExp, string]>([
  ["no certificate", async () => undefined, /required, and none was presented/, "missing"],
  ["another CA's", () => issue({}, strangers), /not trusted \((UNABLE|SELF|DEPTH)/, "untrusted"],
  ["an expired one", () => issue({ from: -3, to: -1 }), /has expired, or is not valid yet/, "expired"],
  ["one of the future", () => issue({ from: 1 }), /has expired, or is not valid yet/, "expired"],
  ["a server's", () => issue({ usage: "server" }), /not trusted \(INVALID_PURPOSE\)/, "untrusted"],
  ["one that no rule allows", () => issue({ subject: "CN=other" }), /not allowed/, "not allowed"],
])("a client with %s gets 403 with the reason, and the app nothing", async (_name, make, reason, outcome) => {
  await using proxy = await start({ allowClient: ["cn=web", "uri=spiffe://a.test/ns/*/sa/other"] });
  for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
    const answer = await get(proxy.port, await make(), "", { minVersion: version, maxVersion: version });
    expect(answer).toMatch(/^HTTP\/1\.1 403 Forbidden\r\n/);
    expect(answer).toMatch(reason);
    expect(answer).toMatch(/connection: close/i);
  }
  expect(asked).toBe("");
  expect((await proxy.get("/metrics")).text).toMatch(
    RegExp(`client_certificates_total\\{[^}]*outcome="${outcome}"[^}]*\\} 2`),
  );
});

test.each(["cn=web", "ou=shop", "dns=web.test", "uri=spiffe://a.test/ns/*/sa/web", "uri=spiffe://a.test/**"])(
  "%s lets its client in",
  async (rule) => {
    await using proxy = await start({ allowClient: ["cn=nobody", rule] });
    expect(await get(proxy.port, web)).toMatch(/200 OK/);
  },
);

test("a key on a curve of its own is served as others are", async () => {
  const client = await issue({ curve: "brainpoolP256r1", subject: "CN=web" });
  await using proxy = await start({ allowClient: ["cn=web"] });
  expect(await get(proxy.port, client)).toMatch(/200 OK/);
  await using pipe = await start({ mode: "tcp", sendProxyProtocol: "v2", allowClient: ["cn=web"] });
  const socket = await open(pipe.port, { servername: "app.test", ...client });
  socket.write("GET / HTTP/1.1\r\n\r\n");
  expect(String(await once(socket, "data"))).toMatch(/200 OK/);
  socket.destroy();
});

test("a pin lets in the key that openssl computes it of", async () => {
  const key = new X509Certificate(web.cert).publicKey.export({ type: "spki", format: "der" });
  const pin = createHash("sha256").update(key).digest("base64");
  await using proxy = await start({ allowClient: [`spki=sha256/${pin}`] });
  expect(await get(proxy.port, web)).toMatch(/200 OK/);
  expect(await get(proxy.port, await issue({ subject: "CN=web" }))).toMatch(/403/);
});

test("asked for but not required: none is fine, a bad one isn't", async () => {
  await using proxy = await start({ clientAuth: "request" });
  expect(await get(proxy.port)).toMatch(/200 OK/);
  expect(asked).not.toMatch(/client-cert/i);
  expect(await get(proxy.port, await issue({}, strangers))).toMatch(/403/);
  expect(await get(proxy.port, web)).toMatch(/200 OK/);
});

test("a chain may come from the client, or from --client-ca", async () => {
  const below = await (await clients.intermediate("middle")).intermediate("below");
  const whole = await issue({}, below);
  const alone = { ...whole, cert: whole.cert.slice(0, whole.cert.indexOf("-----BEGIN", 1)) };
  await using proxy = await start();
  expect(await get(proxy.port, whole)).toMatch(/200 OK/);
  expect(await get(proxy.port, alone)).toMatch(/403/);
  await writeFile(path("clients.pem"), clients.ca + whole.cert.slice(alone.cert.length));
  await proxy.reload();
  expect(await get(proxy.port, alone)).toMatch(/200 OK/);
});

test("clients are judged alike whatever name they ask for", async () => {
  const other = await strangers.issue({ names: ["other.test"] });
  await writeFile(path("other.pem"), `${other.cert}\n${other.key}`);
  const pairs = [path("server.pem"), path("other.pem")];
  await using proxy = await start({ cert: pairs, key: pairs });
  for (const servername of ["app.test", "other.test", "unknown.test"]) {
    expect(await get(proxy.port, web, "", { servername })).toMatch(/200 OK/);
    expect(await get(proxy.port, await issue({}, strangers), "", { servername })).toMatch(/403/);
  }
});

test("a WebSocket handshake is judged as well", async () => {
  await using proxy = await start();
  expect(await get(proxy.port, undefined, "Upgrade: websocket\r\nConnection: upgrade\r\n")).toMatch(/^HTTP\/1\.1 403/);
  expect(asked).toBe("");
});
