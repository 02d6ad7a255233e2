import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { available } from "../available.ts";
import { sClient } from "../certificates/handshake.ts";
import { makeAuthority } from "../certificates/pki.ts";
import { OK, type RawApp, answering, startRawApp } from "../raw-app.ts";
import { type StartedCommand, startCommand } from "../start-command.ts";

/** Lets this client itself offer what is forbidden: it is the server that has to refuse it. */
const ANYTHING = ["-cipher", "ALL:@SECLEVEL=0"];
const hybrid = await available(
  "openssl with X25519MLKEM768",
  "sh",
  "-c",
  "openssl list -kem-algorithms | grep -q X25519MLKEM768",
);

let directory: string;
let app: RawApp;
let proxy: StartedCommand;
const path = (name: string) => join(directory, name);
const asked = (...words: readonly string[]) =>
  sClient(proxy.port, "localhost", "-CAfile", proxy.caPath, "-verify_return_error", ...words);
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "tls-proxy-openssl-"));
  app = await startRawApp(answering(OK));
  proxy = await startCommand(app.port);
});
afterAll(async () => {
  await proxy[Symbol.asyncDispose]();
  await app[Symbol.asyncDispose]();
  await rm(directory, { recursive: true });
});

describe("versions", () => {
  test.each(["-tls1", "-tls1_1"])("%s is refused, with the alert that says so", async (version) => {
    expect(await asked(version, ...ANYTHING)).toMatch(/alert protocol version/);
  });

  test.each(["-tls1_2", "-tls1_3"])("%s: the chain verifies and the app answers", async (version) => {
    const said = await asked(version);
    expect(said).toMatch(/^ *Verify return code: 0 \(ok\)/m);
    expect(said).toMatch(/200 OK/);
  });

  test("--tls-policy modern: TLS 1.2 is refused as well", async () => {
    await using modern = await startCommand(app.port, ["--tls-policy", "modern"]);
    expect(await sClient(modern.port, "localhost", "-tls1_2")).toMatch(/alert protocol version/);
    expect(await sClient(modern.port, "localhost", "-tls1_3")).toMatch(/200 OK/);
  });
});

describe("ciphers", () => {
  test.each(["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"])(
    "%s",
    async (suite) => {
      expect(await asked("-tls1_3", "-ciphersuites", suite)).toMatch(`Cipher is ${suite}\n`);
    },
  );

  test.each(["ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-CHACHA20-POLY1305"])(
    "%s, of TLS 1.2",
    async (suite) => {
      expect(await asked("-tls1_2", "-cipher", suite)).toMatch(`Cipher is ${suite}\n`);
    },
  );

  test.each([
    ["without forward secrecy", "kRSA"],
    ["with CBC", "ECDHE-ECDSA-AES128-SHA256:ECDHE-ECDSA-AES256-SHA"],
    ["without authentication", "aNULL"],
    ["without encryption", "eNULL"],
  ])("none %s", async (_name, suites) => {
    expect(await asked("-tls1_2", "-cipher", `${suites}:@SECLEVEL=0`)).toMatch(/alert handshake failure/);
  });
});

describe("key exchange", () => {
  test.each([
    ["X25519", "X25519, 253 bits"],
    ["P-256", "ECDH, prime256v1, 256 bits"],
    ["P-384", "ECDH, secp384r1, 384 bits"],
  ])("%s", async (group, shown) => {
    expect(await asked("-groups", group)).toMatch(`Server Temp Key: ${shown}\n`);
  });

  test.runIf(hybrid)("X25519MLKEM768 is what a client gets that has it", async () => {
    expect(await asked()).toMatch(/X25519MLKEM768/);
  });
});

describe("ALPN", () => {
  test.each(["h2", "http/1.1", "http/1.0"])("%s is agreed on", async (protocol) => {
    expect(await asked("-alpn", protocol)).toMatch(`ALPN protocol: ${protocol}\n`);
  });

  test("of several it is the newest, in whatever order", async () => {
    expect(await asked("-alpn", "http/1.0,http/1.1")).toMatch("ALPN protocol: http/1.1\n");
    expect(await asked("-alpn", "http/1.0,http/1.1,h2")).toMatch("ALPN protocol: h2\n");
  });

  test("a client of another protocol is refused (RFC 7301 §3.2)", async () => {
    expect(await asked("-alpn", "imap")).toMatch(/alert no application protocol/);
  });
});

test.each(["-tls1_2", "-tls1_3"])("%s: a session is resumed, but not by another process", async (version) => {
  expect(await asked(version, "-sess_out", path(version))).toMatch(/^New, TLSv1/m);
  expect(await asked(version, "-sess_in", path(version))).toMatch(/^Reused, TLSv1[^]*200 OK/m);
  await using other = await startCommand(app.port);
  expect(await sClient(other.port, "localhost", version, "-sess_in", path(version))).toMatch(/^New, TLSv1[^]*200 OK/m);
});

describe("client certificates", () => {
  let guarded: StartedCommand;
  const ask = (...words: readonly string[]) => sClient(guarded.port, "localhost", ...words);
  const presented = (name: string) => ["-cert", path(name), "-key", path(name)];
  beforeAll(async () => {
    const [known, unknown] = await Promise.all([makeAuthority("known"), makeAuthority("unknown")]);
    await writeFile(path("ca"), known.ca);
    for (const [name, issuer] of [
      ["mine", known],
      ["theirs", unknown],
    ] as const) {
      const { cert, key } = await issuer.issue({ subject: `CN=${name}`, usage: "client" });
      await writeFile(path(name), `${cert}\n${key}`);
    }
    guarded = await startCommand(app.port, ["--client-ca", path("ca")]);
  });
  afterAll(() => guarded[Symbol.asyncDispose]());

  test("of a CA that is trusted: let in", async () => {
    expect(await ask(...presented("mine"))).toMatch(/200 OK/);
  });

  test("none, or of another CA: 403 that says why, and the app is never asked", async () => {
    const before = app.received.length;
    expect(await ask()).toMatch(/403 Forbidden\r\n[^]*none was presented/);
    expect(await ask(...presented("theirs"))).toMatch(/403 Forbidden\r\n/);
    expect(app.received).toHaveLength(before);
  });
});
