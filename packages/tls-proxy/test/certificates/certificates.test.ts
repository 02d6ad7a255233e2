import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type StartedSidecar, startSidecar } from "@pillion/kit/testing";
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { tlsProxy } from "../../src/index.ts";
import { OK, answering, startRawApp } from "../raw-app.ts";
import { connectTo } from "../start-proxy.ts";
import { converse, open, sClient, served } from "./handshake.ts";
import { type Authority, type Issued, makeAuthority, type Wanted } from "./pki.ts";

let root: Authority;
beforeAll(async () => void (root = await makeAuthority("root")));

let directory: string;
beforeEach(async () => void (directory = await mkdtemp(join(tmpdir(), "tls-proxy-certs-"))));
afterEach(() => rm(directory, { recursive: true }));
const path = (...parts: string[]) => join(directory, ...parts);

/** Writes `NAME.crt` and `NAME.key`. */
async function put(name: string, wanted: Wanted | Issued): Promise<Issued> {
  const issued = "cert" in wanted ? wanted : await root.issue(wanted);
  await mkdir(dirname(path(name)), { recursive: true });
  await writeFile(path(`${name}.crt`), issued.cert);
  await writeFile(path(`${name}.key`), issued.key);
  return issued;
}

type Options = Parameters<typeof tlsProxy>[0];
interface Proxy extends StartedSidecar {
  readonly port: number;
}

async function start(options: Options, appPort = 1): Promise<Proxy> {
  const sidecar = await startSidecar(
    tlsProxy({ appPort, listen: "127.0.0.1:0", stateDir: path("state"), upstreamWait: 0, ...options }),
  );
  return Object.assign(sidecar, { port: Number(sidecar.addresses["https"]?.split(":").at(-1)) });
}

const files = (...names: string[]): Options => ({
  cert: names.map((name) => path(`${name}.crt`)),
  key: names.map((name) => path(`${name}.key`)),
});
const state = async (proxy: StartedSidecar) => (await proxy.get("/readyz")).text;
const becomes = (proxy: Proxy, servername: string, names: string) =>
  vi.waitFor(async () => expect(await served(proxy.port, servername)).toBe(names), { timeout: 5_000 });

describe("by name", () => {
  test("each name is served its certificate, others the first; a client without a name as well", async () => {
    await put("one", { names: ["one.test"] });
    await put("wild", { names: ["*.two.test"] });
    await put("three", { names: ["three.two.test"] });
    await using proxy = await start(files("one", "wild", "three"));
    for (const [asked, expected] of [
      ["one.test", "one.test"],
      ["x.two.test", "*.two.test"],
      ["three.two.test", "three.two.test"],
      ["x.y.two.test", "one.test"],
      ["unknown.test", "one.test"],
      [undefined, "one.test"],
    ] as const)
      expect([asked, await served(proxy.port, asked)]).toEqual([asked, expected]);
  });

  test("strictly, a client that asks for an unknown name gets the alert unrecognized_name", async () => {
    await put("one", { names: ["one.test"] });
    await using proxy = await start({ ...files("one"), sniStrict: true });
    expect(await served(proxy.port, "one.test")).toBe("one.test");
    expect(await served(proxy.port)).toBe("one.test");
    for (const version of ["-tls1_2", "-tls1_3"])
      expect(await sClient(proxy.port, "other.test", version)).toMatch(/alert number 112/);
    await expect(open(proxy.port, { servername: "other.test" })).rejects.toThrow(/unrecognized name/);
    await vi.waitFor(async () =>
      expect((await proxy.get("/metrics")).text).toMatch(/handshakes_total\{[^}]*outcome="failed"[^}]*\} 3/),
    );
  });

  test("ECDSA and RSA side by side: each client gets what it knows, with its own whole chain", async () => {
    const other = await makeAuthority("other root", "rsa");
    const below = { ec: await root.intermediate("for ec"), rsa: await other.intermediate("for rsa") };
    for (const keyType of ["rsa", "ec"] as const)
      for (const name of ["a.test", "b.test"])
        await put(`${name}-${keyType}`, await below[keyType].issue({ names: [name], subject: `CN=${keyType}` }));
    await writeFile(path("root.pem"), `${root.ca}\n${other.ca}`);
    await using proxy = await start(files("a.test-rsa", "a.test-ec", "b.test-ec", "b.test-rsa"));
    for (const name of ["a.test", "b.test", "unknown.test"])
      for (const [keyType, algorithms] of [
        ["ec", ["-sigalgs", "ECDSA+SHA256"]],
        ["rsa", ["-sigalgs", "RSA-PSS+SHA256:RSA+SHA256"]],
        ["ec", ["-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256", "-sigalgs", "ECDSA+SHA256"]],
        ["rsa", ["-tls1_2", "-cipher", "ECDHE-RSA-AES128-GCM-SHA256"]],
      ] as const) {
        const said = await sClient(
          proxy.port,
          name,
          "-CAfile",
          path("root.pem"),
          "-verify_return_error",
          ...algorithms,
        );
        expect([name, algorithms, said]).toEqual([
          name,
          algorithms,
          expect.stringMatching(RegExp(`subject=CN = ${keyType}\n`)),
        ]);
        expect(said).toMatch(/Verify return code: 0 \(ok\)/);
      }
  });

  test("for the default's names OpenSSL chooses by the cipher suites, too", async () => {
    const rsa = await makeAuthority("rsa", "rsa");
    await put("ec", await root.issue({ names: ["a.test"], subject: "CN=ec" }));
    await put("rsa", await rsa.issue({ names: ["a.test"], subject: "CN=rsa" }));
    await using proxy = await start(files("ec", "rsa"));
    for (const keyType of ["ec", "rsa"]) {
      const suite = `ECDHE-${keyType === "ec" ? "ECDSA" : "RSA"}-AES128-GCM-SHA256`;
      expect(await sClient(proxy.port, "a.test", "-tls1_2", "-cipher", suite)).toMatch(
        RegExp(`subject=CN = ${keyType}\n`),
      );
    }
  });

  test("a client can't renegotiate", async () => {
    await put("one", { names: ["one.test"] });
    await using proxy = await start(files("one"));
    expect(await converse(proxy.port, "one.test", ["-tls1_2"], "R\n")).toMatch(/no renegotiation/);
  });

  test("modern is TLS 1.3 alone", async () => {
    await put("one", { names: ["one.test"] });
    await using proxy = await start({ ...files("one"), tlsPolicy: "modern" });
    for (const name of ["one.test", "unknown.test"]) {
      expect(await served(proxy.port, name, { minVersion: "TLSv1.3" })).toBe("one.test");
      await expect(open(proxy.port, { servername: name, maxVersion: "TLSv1.2" })).rejects.toThrow(/protocol version/);
    }
  });
});

describe("from a directory", () => {
  test("as a Kubernetes secret: a swap of ..data is noticed, and open connections live on", async () => {
    await using app = await startRawApp(answering(OK));
    await put("..1/tls", { names: ["first.test"] });
    await put("..2/tls", { names: ["second.test"] });
    await writeFile(path("..1", "ca.crt"), root.ca);
    await symlink("..1", path("..data"));
    for (const name of ["tls.crt", "tls.key", "ca.crt"]) await symlink(`..data/${name}`, path(name));
    await using proxy = await start({ certDir: directory }, app.port);
    expect(await served(proxy.port)).toBe("first.test");
    expect(proxy.log.filter(({ msg }) => msg === "certificate in force")).toHaveLength(1);
    const old = await connectTo({ port: proxy.port, ca: root.ca }, "first.test");
    await symlink("..2", path("..tmp"));
    await rename(path("..tmp"), path("..data"));
    await becomes(proxy, "second.test", "second.test");
    expect(await state(proxy)).toMatch(/^ready/);
    old.send("GET / HTTP/1.1\r\nHost: app\r\nConnection: close\r\n\r\n");
    expect(await old.closed).toMatch(/200 OK/);
  });

  test("every layout is read, the directory's own first, and what lies beside pairs is left alone", async () => {
    await put("certs/b", { names: ["b.test"] });
    await put("certs/a/tls", { names: ["a.test"] });
    await put("certs/bot/x", { names: ["bot.test"] });
    await rename(path("certs/bot/x.crt"), path("certs/bot/fullchain.pem"));
    await rename(path("certs/bot/x.key"), path("certs/bot/privkey.pem"));
    await put("certs/c", { names: ["c.test"] });
    await rename(path("certs/c.crt"), path("certs/c.pem"));
    for (const name of ["ca.crt", "b.issuer.crt", "bot/chain.pem", "bot/cert.pem", "b.json", "README"])
      await writeFile(path("certs", name), root.ca);
    await using proxy = await start({ certDir: path("certs") });
    expect(await state(proxy)).toMatch(/^ready/);
    for (const name of ["a.test", "b.test", "bot.test", "c.test"]) expect(await served(proxy.port, name)).toBe(name);
    expect(await served(proxy.port)).toBe("b.test");
    const { text } = await proxy.get("/metrics");
    for (const name of ["a.test", "b.test", "bot.test", "c.test"])
      expect(text).toMatch(
        RegExp(`certificate_expiry_timestamp_seconds\\{[^}]*name="${name}"[^}]*key_type="ec"[^}]*\\} \\d{10}`),
      );
  });

  test("certificates come, are replaced and go while it runs", async () => {
    await put("certs/a", { names: ["a.test"] });
    await using proxy = await start({ certDir: path("certs") });
    await put("certs/sub/tls", { names: ["b.test"] });
    await becomes(proxy, "b.test", "b.test");
    await put("certs/sub/tls", { names: ["b.test", "b2.test"] });
    await becomes(proxy, "b2.test", "b.test, b2.test");
    await rm(path("certs/sub"), { recursive: true });
    await becomes(proxy, "b.test", "a.test");
    expect(await state(proxy)).toMatch(/^ready/);
  });

  test("one that is bad stops neither the start nor the others; its old one stays", async () => {
    await put("certs/a", { names: ["a.test"] });
    await put("certs/b", { names: ["b.test"] });
    await writeFile(path("certs/c.key"), "alone");
    await using proxy = await start({ certDir: path("certs") });
    expect(await state(proxy)).toMatch(
      /^degraded: certificate: refused, and what was good before stays: --cert-dir ".*c\.crt": can't be read \(ENOENT\)/,
    );
    await rm(path("certs/c.key"));
    await vi.waitFor(async () => expect(await state(proxy)).toMatch(/^ready/), { timeout: 5_000 });
    await writeFile(path("certs/b.key"), "broken");
    await put("certs/a", { names: ["a.test", "new.test"] });
    await becomes(proxy, "new.test", "a.test, new.test");
    expect(await served(proxy.port, "b.test")).toBe("b.test");
    expect(await state(proxy)).toMatch(/^degraded: certificate: .*--cert-dir ".*b\.key": holds no PEM private key/);
    expect((await proxy.get("/metrics")).text).toMatch(
      /certificate_reloads_total\{[^}]*outcome="refused"[^}]*\} [1-9]/,
    );
  });

  test("when only what is bad is left, what was served stays", async () => {
    await put("certs/a", { names: ["a.test"] });
    await using proxy = await start({ certDir: path("certs") });
    await rm(path("certs/a.crt"));
    await rename(path("certs/a.key"), path("certs/b.key"));
    await proxy.reload();
    expect(await state(proxy)).toMatch(/^degraded: certificate: .*b\.crt": can't be read/);
    expect(await served(proxy.port, "a.test")).toBe("a.test");
  });

  test("when it is emptied, what was served stays", async () => {
    await put("certs/a", { names: ["a.test"] });
    await using proxy = await start({ certDir: path("certs") });
    for (const name of ["a.crt", "a.key"]) await rm(path("certs", name));
    await vi.waitFor(
      async () =>
        expect(await state(proxy)).toMatch(
          /^degraded: certificate: .*holds no certificate with its key\. Put tls\.crt/,
        ),
      { timeout: 5_000 },
    );
    expect(await served(proxy.port, "a.test")).toBe("a.test");
  });

  test.each([
    ["is empty", () => mkdir(path("certs")), "CERTIFICATE_DIRECTORY_EMPTY", /holds no certificate/],
    ["isn't there", async () => {}, "CERTIFICATE_DIRECTORY_UNREADABLE", /can't be read \(ENOENT\)\. Check/],
    ["is a file", () => writeFile(path("certs"), ""), "CERTIFICATE_DIRECTORY_UNREADABLE", /ENOTDIR/],
    [
      "holds nothing good",
      async () => {
        await put("certs/a", await root.issue());
        await writeFile(path("certs/a.key"), "");
      },
      "CERTIFICATE_KEY_UNPARSABLE",
      /holds no PEM private key/,
    ],
  ])("one that %s: no start", async (_name, prepare, code, message) => {
    await prepare();
    await expect(start({ certDir: path("certs") })).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
    });
  });
});

test("swaps under load fail no handshake", async () => {
  await put("site", { names: ["localhost"] });
  await put("other", { names: ["other.test"] });
  await using proxy = await start(files("site", "other"));
  const done = new AbortController();
  let handshakes = 0;
  const client = async (servername: string) => {
    for (; !done.signal.aborted; handshakes++) {
      const socket = await open(proxy.port, { servername, ca: root.ca, rejectUnauthorized: true });
      socket.destroy();
    }
  };
  const clients = ["localhost", "other.test", "localhost", "other.test"].map(client);
  for (let swap = 0; swap < 20; swap++) {
    await put("site", { names: ["localhost"] });
    await put("other", { names: ["other.test"] });
    await proxy.reload();
  }
  done.abort();
  await Promise.all(clients);
  expect(handshakes).toBeGreaterThan(20);
  expect(await state(proxy)).toMatch(/^ready/);
});

describe("checked before they come into force", () => {
  test("files named by --cert are watched, through writing in place and renames", async () => {
    await put("site", { names: ["one.test"] });
    await using proxy = await start(files("site"));
    await put("site", { names: ["two.test"] });
    await becomes(proxy, "two.test", "two.test");
    await put("new", { names: ["three.test"] });
    for (const end of ["crt", "key"]) await rename(path(`new.${end}`), path(`site.${end}`));
    await becomes(proxy, "three.test", "three.test");
    expect(proxy.log.filter(({ msg }) => msg === "another certificate is in force")).toHaveLength(2);
  });

  test.each<[string, () => Promise<Issued>, RegExp]>([
    [
      "expired",
      () => root.issue({ from: -3, to: -1 }),
      /--cert ".*site\.crt": O=Test expired at .* and is not put in force\. Put a new one/,
    ],
    ["not valid yet", () => root.issue({ from: 1 }), /is not valid before .* and is not put in force\. Check .* clock/],
    [
      "without the middle of its chain",
      async () => {
        const { cert, key } = await (await (await root.intermediate("a")).intermediate("b")).issue();
        const blocks = cert.match(/-----BEGIN[^]*?-----END CERTIFICATE-----/g) ?? [];
        return { cert: [blocks[0], blocks[2]].join("\n"), key };
      },
      /certificate 1 \(O=Test\) was not issued by the one behind it \(CN=a\)\. Put the server's certificate first/,
    ],
    [
      "with an issuer that only has the same name",
      async () => {
        const { cert, key } = await (await root.intermediate("a")).issue();
        const other = await (await root.intermediate("a")).issue();
        const issuer = other.cert.slice(other.cert.lastIndexOf("-----BEGIN"));
        return { cert: `${cert.slice(0, cert.lastIndexOf("-----BEGIN"))}${issuer}`, key };
      },
      /was not issued by the one behind it/,
    ],
    [
      "with another's key",
      async () => ({ cert: (await root.issue()).cert, key: (await root.issue()).key }),
      /the key does not belong to/,
    ],
  ])("one that is %s is refused, the old one stays, and health says so", async (_name, make, message) => {
    await put("site", { names: ["good.test"] });
    await put("other", { names: ["other.test"] });
    await using proxy = await start(files("site", "other"));
    await put("site", await make());
    await put("other", { names: ["renewed.test"] });
    await proxy.reload();
    expect(await state(proxy)).toMatch(/^degraded: certificate: refused, and what was good before stays: /);
    expect(await state(proxy)).toMatch(message);
    expect(await served(proxy.port)).toBe("good.test");
    expect(await served(proxy.port, "renewed.test")).toBe("renewed.test");
    await put("site", { names: ["better.test"] });
    await proxy.reload();
    expect(await state(proxy)).toMatch(/^ready/);
    expect(await served(proxy.port)).toBe("better.test");
  });

  test("one that is bad at the start, of several that are named, is a reason to end", async () => {
    await put("good", {});
    await put("bad", {});
    await writeFile(path("bad.key"), "");
    await expect(start(files("good", "bad"))).rejects.toMatchObject({ code: "CERTIFICATE_KEY_UNPARSABLE" });
  });

  test("reloading what is in force is no news, even when it has expired meanwhile", async () => {
    await put("site", { names: ["old.test"], from: -3, to: -1 });
    await using proxy = await start(files("site"));
    await vi.waitFor(async () => expect(await state(proxy)).toMatch(/^degraded: validity: .*expired/));
    await proxy.reload();
    expect(await state(proxy)).not.toMatch(/certificate: refused/);
    expect(await served(proxy.port)).toBe("old.test");
  });
});
