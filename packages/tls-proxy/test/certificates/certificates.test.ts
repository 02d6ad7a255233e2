import { rename, writeFile } from "node:fs/promises";
import { describe, expect, test, vi } from "vitest";
import { open, served } from "./handshake.ts";
import type { Issued } from "./pki.ts";
import { becomes, files, path, put, root, start, state } from "./served-certificates.ts";

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
