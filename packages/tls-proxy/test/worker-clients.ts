import { mkdtemp, readFile, rm } from "node:fs/promises";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, onTestFinished, vi } from "vitest";
import { type RawClient, connectTo } from "./start-proxy.ts";
import type { StartedWorkers } from "./start-workers.ts";

/** Each test of a file that imports it has one of its own. */
export let stateDir: string;
beforeEach(async () => void (stateDir = await mkdtemp(join(tmpdir(), "tls-proxy-workers-"))));
afterEach(() => rm(stateDir, { recursive: true }));
export const path = (name: string) => join(stateDir, name);
/** The development CA of the proxy that keeps its state there. */
export const authority = () => readFile(path("development-ca/ca.pem"), "utf8");
export const REQUEST = "GET / HTTP/1.1\r\nHost: app\r\n\r\n";

/** Connections until both workers have one: the system chooses by a hash of the client's port. */
export async function connectToBoth(proxy: StartedWorkers): Promise<RawClient[]> {
  const ca = await authority();
  const clients: RawClient[] = [];
  onTestFinished(() => clients.forEach(({ socket }) => socket.destroy()));
  const more = () => Promise.all(Array.from({ length: 6 }, () => connectTo({ port: proxy.port, ca })));
  do clients.push(...(await more()));
  while (proxy.spread().some((count) => count === 0) && clients.length < 200);
  return clients;
}

/** Has a request in flight on each of the connections. */
export async function inFlight(app: { open: ReadonlySet<Socket> }, clients: readonly RawClient[]): Promise<void> {
  for (const client of clients) client.send(REQUEST);
  await vi.waitFor(() => expect(app.open.size).toBe(clients.length));
}
