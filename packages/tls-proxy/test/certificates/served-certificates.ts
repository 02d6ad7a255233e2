import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type StartedSidecar, startSidecar } from "@pillion/kit/testing";
import { afterEach, beforeAll, beforeEach, expect, vi } from "vitest";
import { tlsProxy } from "../../src/index.ts";
import { served } from "./handshake.ts";
import { type Authority, type Issued, makeAuthority, type Wanted } from "./pki.ts";

export let root: Authority;
beforeAll(async () => void (root = await makeAuthority("root")));

/** Where certificates lie; each test of a file that imports it has one of its own. */
export let directory: string;
beforeEach(async () => void (directory = await mkdtemp(join(tmpdir(), "tls-proxy-certs-"))));
afterEach(() => rm(directory, { recursive: true }));
export const path = (...parts: string[]) => join(directory, ...parts);

/** Writes `NAME.crt` and `NAME.key`. */
export async function put(name: string, wanted: Wanted | Issued): Promise<Issued> {
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

export async function start(options: Options, appPort = 1): Promise<Proxy> {
  const sidecar = await startSidecar(
    tlsProxy({ appPort, listen: "127.0.0.1:0", stateDir: path("state"), upstreamWait: 0, ...options }),
  );
  return Object.assign(sidecar, { port: Number(sidecar.addresses["https"]?.split(":").at(-1)) });
}

/** Certificates by name, as `--cert` and `--key`. */
export const files = (...names: string[]): Options => ({
  cert: names.map((name) => path(`${name}.crt`)),
  key: names.map((name) => path(`${name}.key`)),
});
export const state = async (proxy: StartedSidecar) => (await proxy.get("/readyz")).text;
export const becomes = (proxy: Proxy, servername: string, names: string) =>
  vi.waitFor(async () => expect(await served(proxy.port, servername)).toBe(names), { timeout: 5_000 });
