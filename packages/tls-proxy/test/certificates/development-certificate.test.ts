import { execFile } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readFile, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, createServer } from "node:tls";
import type { AddressInfo } from "node:net";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, test } from "vitest";
import { certificateOf, issueLeaf, keyOf, makeDevelopmentCa } from "../../src/certificates/development-ca.ts";
import { developmentCertificate } from "../../src/certificates/development-certificate.ts";

const run = promisify(execFile);
const DAY = 86_400_000;
const NOW = new Date();
const later = (days: number) => new Date(NOW.getTime() + days * DAY);

let directory: string;
beforeEach(async () => void (directory = await mkdtemp(join(tmpdir(), "tls-proxy-ca-"))));
afterEach(() => rm(directory, { recursive: true }));

test("openssl and Node's client verify the leaf for every name it serves, with nothing but the CA", async () => {
  const names = ["app.test", "*.wild.test", "FD00::1"];
  const { pair, ca } = await developmentCertificate(directory, names, NOW);
  const leaf = join(directory, "leaf.pem");
  await writeFile(leaf, pair.cert);
  for (const name of ["localhost", "app.test", "x.wild.test"]) {
    const { stdout } = await run("openssl", [
      "verify",
      "-x509_strict",
      "-purpose",
      "sslserver",
      "-CAfile",
      ca.path,
      "-verify_hostname",
      name,
      leaf,
    ]);
    expect(stdout).toMatch(/: OK\n$/);
  }
  for (const address of ["127.0.0.1", "::1", "fd00::1"]) {
    await run("openssl", ["verify", "-CAfile", ca.path, "-verify_ip", address, leaf]);
  }

  const server = createServer({ cert: pair.cert, key: pair.key }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const trusted = await readFile(ca.path, "utf8");
  for (const servername of ["localhost", "app.test", "y.wild.test"]) {
    const socket = connect({ port, ca: trusted, servername });
    await once(socket, "secureConnect");
    expect(socket.authorized).toBe(true);
    socket.destroy();
  }
  server.close();
});

test("a state directory that it makes is ignored by git, and one that is there stays as it is", async () => {
  const made = join(directory, "state");
  for (const state of [directory, made]) await developmentCertificate(state, [], NOW);
  expect((await readdir(directory)).toSorted()).toEqual(["development-ca", "state"]);
  expect((await stat(made)).mode & 0o777).toBe(0o700);
  await run("git", ["init", "--quiet", directory]);
  const { stdout } = await run("git", ["-C", directory, "status", "--porcelain", "--untracked-files=all", "state"]);
  expect(stdout).toBe("");

  await rm(join(made, ".gitignore"));
  await developmentCertificate(made, ["app.test"], NOW);
  expect(await readdir(made)).toEqual(["development-ca"]);
});

test.each([
  ["another host", "evil.test"],
  ["a name that only ends alike", "notapp.test"],
  ["another address", "10.0.0.1"],
  ["another IPv6 address", "fd00::2"],
])("openssl and Node refuse what the CA's key signed for %s", async (_name, name) => {
  const ca = await makeDevelopmentCa(["localhost", "127.0.0.1", "app.test", "fd00::1"], NOW);
  const leaf = await issueLeaf(ca, [name], NOW);
  const [caPath, leafPath] = [join(directory, "ca.pem"), join(directory, "leaf.pem")];
  await writeFile(caPath, certificateOf(ca));
  await writeFile(leafPath, certificateOf(leaf));
  await expect(run("openssl", ["verify", "-CAfile", caPath, leafPath])).rejects.toThrow(/permitted subtree violation/);

  const server = createServer({ cert: certificateOf(leaf), key: keyOf(leaf) }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const socket = connect({
    port: (server.address() as AddressInfo).port,
    ca: certificateOf(ca),
    host: "127.0.0.1",
    checkServerIdentity: () => undefined,
  });
  await expect(once(socket, "secureConnect")).rejects.toThrow(/permitted subtree violation/);
  server.close();
});

test("the CA may sign servers under its names and nothing else, no further CA either", async () => {
  const ca = new X509Certificate(certificateOf(await makeDevelopmentCa(["localhost"], NOW)));
  const path = join(directory, "ca.pem");
  await writeFile(path, ca.toString());
  const { stdout } = await run("openssl", [
    "x509",
    "-in",
    path,
    "-noout",
    "-ext",
    "basicConstraints,keyUsage,extendedKeyUsage,nameConstraints",
  ]);
  expect(stdout).toMatch(/Basic Constraints: critical\s+CA:TRUE, pathlen:0/);
  expect(stdout).toMatch(/Name Constraints: critical\s+Permitted:\s+DNS:localhost\s*$/m);
  expect(stdout).toMatch(/Extended Key Usage:\s+TLS Web Server Authentication/);
});

test("keys are for their owner alone, and no half-written file is left", async () => {
  const { ca } = await developmentCertificate(directory, [], NOW);
  const folder = join(directory, "development-ca");
  expect((await stat(folder)).mode & 0o777).toBe(0o700);
  expect((await readdir(folder)).toSorted()).toEqual(["ca-with-key.pem", "ca.pem", "leaf-with-key.pem"]);
  for (const name of ["ca-with-key.pem", "leaf-with-key.pem"])
    expect((await stat(join(folder, name))).mode & 0o777).toBe(0o600);
  expect(await readFile(ca.path, "utf8")).not.toContain("PRIVATE KEY");
  expect(ca.fingerprint).toBe(new X509Certificate(await readFile(ca.path)).fingerprint256);
});

test("a second start serves the same certificate of the same CA", async () => {
  const first = await developmentCertificate(directory, ["app.test"], NOW);
  const second = await developmentCertificate(directory, ["app.test"], later(5));
  expect(second.pair.fingerprint).toBe(first.pair.fingerprint);
  expect([first.ca.made, second.ca.made]).toEqual([true, false]);
  expect(second.ca.fingerprint).toBe(first.ca.fingerprint);
});

test("a leaf that grows old or lacks a name is renewed by the same CA; a name outside its constraints takes a new one", async () => {
  const first = await developmentCertificate(directory, ["app.test"], NOW);
  const renewed = await developmentCertificate(directory, ["app.test"], later(21));
  expect(renewed.pair.fingerprint).not.toBe(first.pair.fingerprint);
  expect(renewed.pair.notAfter.getTime()).toBeGreaterThan(later(50).getTime());
  const fewer = await developmentCertificate(directory, [], NOW);
  const below = await developmentCertificate(directory, ["sub.app.test"], NOW);
  expect([renewed, fewer, below].map(({ ca }) => ca.fingerprint)).toEqual(Array(3).fill(first.ca.fingerprint));
  expect(new X509Certificate(below.pair.cert).subjectAltName).toContain("DNS:sub.app.test");

  const other = await developmentCertificate(directory, ["other.test"], NOW);
  expect(other.ca).toMatchObject({ made: true, flaw: "may not vouch for other.test" });
  expect(other.ca.fingerprint).not.toBe(first.ca.fingerprint);
  await writeFile(join(directory, "leaf.pem"), other.pair.cert);
  await run("openssl", ["verify", "-CAfile", other.ca.path, join(directory, "leaf.pem")]);
});

test("a CA that grows old is replaced, and it is said why", async () => {
  expect((await developmentCertificate(directory, [], NOW)).ca.flaw).toBeUndefined();
  const { ca } = await developmentCertificate(directory, [], later(2.5 * 365));
  expect(ca).toMatchObject({ made: true, flaw: expect.stringMatching(/^expires on \d{4}-\d\d-\d\d$/) });
});

test("damaged files are made anew", async () => {
  const first = await developmentCertificate(directory, [], NOW);
  const leaf = join(directory, "development-ca/leaf-with-key.pem");
  await writeFile(leaf, (await readFile(leaf, "utf8")).slice(0, 900));
  const second = await developmentCertificate(directory, [], NOW);
  expect(second.ca.fingerprint).toBe(first.ca.fingerprint);
  expect(second.pair.fingerprint).not.toBe(first.pair.fingerprint);
  await writeFile(join(directory, "development-ca/ca-with-key.pem"), "");
  const third = await developmentCertificate(directory, [], NOW);
  expect(third.ca).toMatchObject({ made: true, flaw: "isn't a certificate with its key" });
  const ca = new X509Certificate(await readFile(third.ca.path));
  expect(new X509Certificate(third.pair.cert).verify(ca.publicKey)).toBe(true);
});

test("several that start at once agree on one CA", async () => {
  const all = await Promise.all(Array.from({ length: 5 }, () => developmentCertificate(directory, [], NOW)));
  expect(new Set(all.map(({ ca }) => ca.fingerprint)).size).toBe(1);
  expect(all.filter(({ ca }) => ca.made)).toHaveLength(1);
});

test("a state directory that can't be one is named, with the remedy", async () => {
  const file = join(directory, "file");
  await writeFile(file, "");
  await expect(developmentCertificate(file, [], NOW)).rejects.toMatchObject({
    code: "STATE_DIRECTORY_NOT_WRITABLE",
    message: expect.stringMatching(
      /^--state-dir ".*file": can't hold the development CA \(ENOTDIR\)\. Give a directory .* --cert and --key$/,
    ),
  });
});
