import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { TicketKeys } from "../../src/certificates/ticket-keys.ts";
import { OK, answering, type RawApp, startRawApp } from "../raw-app.ts";
import { type StartedProxy, startProxy } from "../start-proxy.ts";
import { sClient } from "./handshake.ts";
import { type Authority, makeAuthority } from "./pki.ts";

let root: Authority;
let app: RawApp;
let directory: string;
let ticketKeys: TicketKeys;
const path = (name: string) => join(directory, name);
beforeAll(async () => void (root = await makeAuthority("root")));
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "tls-proxy-tickets-"));
  ticketKeys = new TicketKeys();
  app = await startRawApp(answering(OK));
  for (const name of ["a", "b"]) await put(name);
});
afterEach(async () => {
  await app[Symbol.asyncDispose]();
  await rm(directory, { recursive: true });
});

async function put(name: string): Promise<void> {
  const { cert, key } = await root.issue({ names: [`${name}.test`] });
  await writeFile(path(`${name}.pem`), `${cert}\n${key}`);
}
const start = () => {
  const pairs = [path("a.pem"), path("b.pem")];
  return startProxy(app.port, { files: { cert: pairs, key: pairs }, ticketKeys });
};

/** Whether a session of `openssl s_client` was resumed; `save` keeps one, `resume` comes back with it. */
async function save(proxy: StartedProxy, name: string, version: string): Promise<string> {
  const said = await sClient(proxy.port, name, version, "-sess_out", path(`${name}${version}`));
  expect(said).toMatch(/^New, TLSv1\.[23], /m);
  expect(said).toMatch(/200 OK/);
  return said;
}
async function isResumed(proxy: StartedProxy, name: string, version: string, session = name): Promise<boolean> {
  const said = await sClient(proxy.port, name, version, "-sess_in", path(`${session}${version}`));
  expect(said).toMatch(/200 OK/);
  return /^Reused, TLSv1\.[23], /m.test(said);
}

describe.each(["-tls1_2", "-tls1_3"])("a session of %s", (version) => {
  test.each(["a.test", "b.test", "unknown.test"])(
    "for %s is resumed, after a swap of certificates as well",
    async (name) => {
      await using proxy = await start();
      await save(proxy, name, version);
      expect(await isResumed(proxy, name, version)).toBe(true);
      for (const one of ["a", "b"]) await put(one);
      await proxy.certificates.reload();
      expect(await isResumed(proxy, name, version)).toBe(true);
      expect(proxy.certificates.inForce).toHaveLength(2);
    },
  );

  test("ends with its key, and a new one is given", async () => {
    await using proxy = await start();
    await save(proxy, "b.test", version);
    ticketKeys.replace();
    expect(await isResumed(proxy, "b.test", version)).toBe(false);
    await save(proxy, "b.test", version);
    await put("a");
    await proxy.certificates.reload();
    expect(await isResumed(proxy, "b.test", version)).toBe(true);
  });

  test("is resumed by another process that was given the same key", async () => {
    await using first = await start();
    await save(first, "b.test", version);
    const own = ticketKeys;
    ticketKeys = new TicketKeys(own.current);
    await using second = await start();
    expect(await isResumed(second, "b.test", version)).toBe(true);
    ticketKeys.replace();
    expect(await isResumed(second, "b.test", version)).toBe(false);
    own.onReplace((keys) => ticketKeys.replace(keys));
    own.replace();
    await save(first, "b.test", version);
    expect(await isResumed(second, "b.test", version)).toBe(true);
  });
});

test("tickets say how long they last: as long as their key at most", async () => {
  await using proxy = await start();
  expect(await save(proxy, "a.test", "-tls1_2")).toMatch(/ticket lifetime hint: 3600 \(seconds\)/);
});

test("keys that rotate are new ones each time, until the end", async () => {
  const stop = new AbortController();
  const keys = new TicketKeys().rotate(5, stop.signal);
  const seen = new Set<string>([keys.current.toString("hex")]);
  await new Promise<void>((done) =>
    keys.onReplace((next) => {
      seen.add(next.toString("hex"));
      if (seen.size === 4) done();
    }),
  );
  stop.abort();
  expect(keys.current).toHaveLength(48);
});

test("keys of another length are refused", () => {
  expect(() => new TicketKeys(Buffer.alloc(47))).toThrow(/48 bytes, not 47/);
  expect(() => ticketKeys.replace(Buffer.alloc(80))).toThrow(RangeError);
});
