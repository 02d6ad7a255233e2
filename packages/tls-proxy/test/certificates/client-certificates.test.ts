import { createHash, X509Certificate } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type StartedSidecar, startSidecar } from "@pillion/kit/testing";
import { afterEach, beforeAll, beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { tlsProxy } from "../../src/index.ts";
import { identityOf } from "../../src/certificates/client-identity.ts";
import { OK, type RawApp, startRawApp } from "../raw-app.ts";
import { open, openssl, sClient } from "./handshake.ts";
import { type Authority, type Issued, makeAuthority, type Wanted } from "./pki.ts";

let clients: Authority;
let strangers: Authority;
let server: Issued;
let web: Issued;
beforeAll(async () => {
  clients = await makeAuthority("clients");
  strangers = await makeAuthority("strangers");
  server = await strangers.issue({ names: ["app.test"] });
  web = await issue({
    subject: "O=Example,OU=shop,CN=web",
    names: ["Web.test"],
    uris: ["spiffe://a.test/ns/x/sa/web"],
  });
});
const issue = (wanted: Wanted, by: Authority = clients) => by.issue({ usage: "client", ...wanted });

let directory: string;
let app: RawApp;
/** The head of the app's last request. */
let asked: string;
const path = (name: string) => join(directory, name);
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "tls-proxy-clients-"));
  asked = "";
  app = await startRawApp((socket, received) => {
    if (!received.includes("\r\n\r\n")) return;
    asked = received;
    socket.write(OK);
  });
  await writeFile(path("server.pem"), server.cert + server.key);
  await writeFile(path("clients.pem"), clients.ca);
});
afterEach(async () => {
  await app[Symbol.asyncDispose]();
  await rm(directory, { recursive: true });
});

async function start(options: Parameters<typeof tlsProxy>[0] = {}): Promise<StartedSidecar & { port: number }> {
  const pair = [path("server.pem")];
  const listening = { appPort: app.port, listen: "127.0.0.1:0", cert: pair, key: pair };
  const sidecar = await startSidecar(tlsProxy({ ...listening, clientCa: path("clients.pem"), ...options }));
  return Object.assign(sidecar, {
    port: Number((sidecar.addresses["https"] ?? sidecar.addresses["tls"])?.split(":").at(-1)),
  });
}

/** What a client with a certificate gets; `fields` are sent along. */
async function get(port: number, client?: Issued, fields = "", options = {}): Promise<string> {
  const socket = await open(port, { servername: "app.test", ...client, ...options });
  let received = "";
  socket.on("data", (bytes: Buffer) => (received += bytes.toString("latin1")));
  socket.write(`GET / HTTP/1.1\r\nHost: app.test\r\n${fields}Connection: close\r\n\r\n`);
  await once(socket, "close");
  return received;
}
const field = (name: string) => RegExp(`^${name}: (.*)\r$`, "im").exec(asked)?.[1];

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

test.each(["relay", "http-proxy"] as const)(
  "the access log says whose certificate was refused, and why, with the engine %s",
  async (engine) => {
    const [file, http2] = [path("access.log"), false];
    await using proxy = await start({ engine, http2, allowClient: ["cn=web"], accessLog: "json", accessLogFile: file });
    const hostile = { CN: ['a"\r\n\u001b[31m\u00e4'] };
    for (const client of [
      await issue({ subject: [hostile] }, strangers),
      await issue({ subject: "CN=other" }),
      undefined,
    ])
      expect(await get(proxy.port, client)).toMatch(/403/);
    await vi.waitFor(async () => expect((await readFile(file, "latin1")).trim().split("\n")).toHaveLength(3));
    const lines = (await readFile(file, "latin1")).trim().split("\n");
    expect(lines.join("")).toMatch(/^[\x20-\x7e]+$/);
    const entries = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(entries).toMatchObject([
      { status: 403, outcome: "refused", reason: expect.stringMatching(/not trusted \(UNABLE_/) },
      { status: 403, clientSubject: "CN=other", reason: expect.stringMatching(/not allowed/) },
      { status: 403, reason: expect.stringMatching(/none was presented/) },
    ]);
    expect(entries[0]?.["clientSubject"]).toMatch(/^CN=a.*\\C3\\A4$/);
    expect(entries[2]).not.toHaveProperty("clientSubject");
  },
);

test("in --mode tcp a refused client leaves a line: who, why, by which code of OpenSSL's", async () => {
  await using proxy = await start({ mode: "tcp" });
  const refusals = () => proxy.log.filter(({ msg }) => /aborted for its certificate/.test(String(msg)));
  const stranger = await issue({ subject: `CN=${"x".repeat(60)},${"OU=y,".repeat(60)}O=z` }, strangers);
  for (const client of [undefined, stranger]) {
    const socket = await open(proxy.port, { servername: "app.test", ...client });
    await new Promise((resolve) => socket.resume().once("close", resolve)); // a reset is an error to the client
  }
  await vi.waitFor(() => expect(refusals()).toHaveLength(2));
  const [without, strange] = refusals();
  expect(without).toMatchObject({
    level: "warn",
    client: "127.0.0.1",
    reason: expect.stringMatching(/none was presented/),
  });
  const fingerprint = createHash("sha256").update(new X509Certificate(stranger.cert).raw).digest("hex");
  expect(strange).toMatchObject({ fingerprint, reason: expect.stringMatching(/not trusted \(UNABLE_/), times: 2 });
  expect(String(strange?.["subject"]).length).toBe(195);
  expect(JSON.stringify(refusals())).not.toContain("PRIVATE");
});

test.each(["cn=web", "ou=shop", "dns=web.test", "uri=spiffe://a.test/ns/*/sa/web", "uri=spiffe://a.test/**"])(
  "%s lets its client in",
  async (rule) => {
    await using proxy = await start({ allowClient: ["cn=nobody", rule] });
    expect(await get(proxy.port, web)).toMatch(/200 OK/);
  },
);

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

test.each(["-tls1_2", "-tls1_3"])(
  "a resumed session of %s keeps its identity, until other CAs are in force",
  async (version) => {
    await writeFile(path("web.pem"), `${web.cert}\n${web.key}`);
    await using proxy = await start({ allowClient: ["cn=web"] });
    const certificate = ["-cert", path("web.pem"), "-key", path("web.pem")];
    expect(await sClient(proxy.port, "app.test", version, ...certificate, "-sess_out", path("session"))).toMatch(
      /200 OK/,
    );
    asked = "";
    const resumed = await sClient(proxy.port, "app.test", version, "-sess_in", path("session"));
    expect(resumed).toMatch(/^Reused/m);
    expect(resumed).toMatch(/200 OK/);
    expect(field("X-Client-Cert-DNS")).toBe("web.test");

    await writeFile(path("clients.pem"), strangers.ca);
    await proxy.reload();
    const anew = await sClient(proxy.port, "app.test", version, ...certificate, "-sess_in", path("session"));
    expect(anew).toMatch(/^New/m);
    expect(anew).toMatch(/403 Forbidden/);
  },
);

test("a certificate that expires while its session is resumed is refused", async () => {
  await using proxy = await start();
  // OpenSSL judges a resumed session by what it found when it began; here its clock and ours differ instead.
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 31 * 86_400_000 });
  onTestFinished(() => void vi.useRealTimers());
  expect(await get(proxy.port, web)).toMatch(/403 Forbidden[^]*has expired/);
});

test("other CAs come into force by the file alone; a bad file leaves the old ones", async () => {
  await using proxy = await start();
  await writeFile(path("clients.pem"), "nothing");
  const state = async () => (await proxy.get("/readyz")).text;
  await vi.waitFor(
    async () => expect(await state()).toMatch(/^degraded: certificate: .*--client-ca ".*": holds no PEM certificate/),
    { timeout: 5_000 },
  );
  expect(await get(proxy.port, web)).toMatch(/200 OK/);
  const stranger = await issue({}, strangers);
  expect(await get(proxy.port, stranger)).toMatch(/403/);
  await writeFile(path("clients.pem"), clients.ca + strangers.ca);
  await vi.waitFor(async () => expect(await get(proxy.port, stranger)).toMatch(/200 OK/), { timeout: 5_000 });
  expect(await get(proxy.port, web)).toMatch(/200 OK/);
  expect(await state()).toMatch(/^ready/);
});

test.each<[string, () => Promise<string> | string, string, RegExp]>([
  ["nothing", () => "", "CLIENT_CA_UNUSABLE", /holds no PEM certificate\. Give/],
  [
    "a client's certificate",
    () => web.cert,
    "CLIENT_CA_UNUSABLE",
    /holds O=Example, OU=shop, CN=web, which is no CA\. Give/,
  ],
  [
    "an intermediate alone",
    async () => {
      const { cert } = await (await clients.intermediate("mid")).issue();
      return cert.slice(cert.lastIndexOf("-----BEGIN"));
    },
    "CLIENT_CA_UNUSABLE",
    /holds intermediates alone\. Add the root/,
  ],
  ["damage", () => "-----BEGIN CERTIFICATE-----\nTUlJ\n-----END CERTIFICATE-----", "CERTIFICATE_UNPARSABLE", /damaged/],
])("a --client-ca that holds %s: no start", async (_name, make, code, message) => {
  await writeFile(path("clients.pem"), await make());
  await expect(start()).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
});

test("a --client-ca that isn't there: no start", async () => {
  await expect(start({ clientCa: path("none") })).rejects.toMatchObject({
    code: "CLIENT_CA_UNREADABLE",
    message: expect.stringMatching(/--client-ca ".*none": can't be read \(ENOENT\)\. Check/),
  });
});

test("names in a certificate that are made to be misread name nobody else", async () => {
  const identity = async (wanted: Wanted) => identityOf(new X509Certificate((await issue(wanted)).cert));
  expect(await identity({ names: ["good.test, DNS:evil.test"] })).toMatchObject({ dnsNames: [] });
  expect(await identity({ uris: ["http://x/, URI:spiffe://a.test/admin"], names: ["x.test"] })).toMatchObject({
    uris: [],
    dnsNames: ["x.test"],
  });
  expect(await identity({ names: ["good.test\0.evil.test", 'a"b.test', "b.test"] })).toMatchObject({
    dnsNames: ["b.test"],
  });
  expect(await identity({ subject: [{ CN: ["admin"] }, { CN: ["web"] }] })).toMatchObject({ commonName: undefined });
  expect((await identity({ subject: [{ CN: ["a + b"], OU: ["c"] }] })).subject).toMatch(
    /^(CN=a \\\+ b\+OU=c|OU=c\+CN=a \\\+ b)$/,
  );
  expect(await identity({ subject: [{ O: ["x\nCN=admin"] }] })).toMatchObject({
    commonName: undefined,
    subject: expect.stringMatching(/^O=x\\0ACN\\?=admin$/),
  });
  expect(await identity({ subject: [{ CN: ["admin\0x"] }] })).toMatchObject({ commonName: undefined });
  expect(await identity({ subject: [{ CN: ["Zoë, the first"] }, { OU: ["a+b"] }] })).toMatchObject({
    commonName: "Zoë, the first",
    subject: "OU=a\\+b,CN=Zo\\C3\\AB\\, the first",
  });
});

test("a subject is written as openssl writes it for RFC 2253", async () => {
  const subject = [{ C: ["DE"] }, { O: [" Ü+x "] }, { OU: ["a,b;c"] }, { OU: ['<#"\\>'] }, { CN: ["Zoë=1#\t"] }];
  const { cert } = await issue({ subject });
  await writeFile(path("odd.pem"), cert);
  const { stdout } = await openssl(["x509", "-in", path("odd.pem"), "-noout", "-subject", "-nameopt", "RFC2253"]);
  expect(`subject=${identityOf(new X509Certificate(cert)).subject}\n`).toBe(stdout);
});
