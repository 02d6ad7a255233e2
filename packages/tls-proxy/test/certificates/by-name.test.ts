import { writeFile } from "node:fs/promises";
import { describe, expect, test, vi } from "vitest";
import { converse, open, sClient, served } from "./handshake.ts";
import { makeAuthority } from "./pki.ts";
import { files, path, put, root, start } from "./served-certificates.ts";

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
