import { mkdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import { describe, expect, test, vi } from "vitest";
import { OK, answering, startRawApp } from "../raw-app.ts";
import { connectTo } from "../start-proxy.ts";
import { served } from "./handshake.ts";
import { becomes, directory, path, put, root, start, state } from "./served-certificates.ts";

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
