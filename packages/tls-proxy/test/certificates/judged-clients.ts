import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type StartedSidecar, startSidecar } from "@pillion/kit/testing";
import { afterEach, beforeAll, beforeEach } from "vitest";
import { tlsProxy } from "../../src/index.ts";
import { OK, type RawApp, startRawApp } from "../raw-app.ts";
import { open } from "./handshake.ts";
import { type Authority, type Issued, makeAuthority, type Wanted } from "./pki.ts";

export let clients: Authority;
export let strangers: Authority;
let server: Issued;
export let web: Issued;
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
export const issue = (wanted: Wanted, by: Authority = clients) => by.issue({ usage: "client", ...wanted });

let directory: string;
let app: RawApp;
/** The head of the app's last request. */
export let asked: string;
export const path = (name: string) => join(directory, name);
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "tls-proxy-clients-"));
  forget();
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

export async function start(options: Parameters<typeof tlsProxy>[0] = {}): Promise<StartedSidecar & { port: number }> {
  const pair = [path("server.pem")];
  const listening = { appPort: app.port, listen: "127.0.0.1:0", cert: pair, key: pair };
  const sidecar = await startSidecar(tlsProxy({ ...listening, clientCa: path("clients.pem"), ...options }));
  return Object.assign(sidecar, {
    port: Number((sidecar.addresses["https"] ?? sidecar.addresses["tls"])?.split(":").at(-1)),
  });
}

/** What a client with a certificate gets; `fields` are sent along. */
export async function get(port: number, client?: Issued, fields = "", options = {}): Promise<string> {
  const socket = await open(port, { servername: "app.test", ...client, ...options });
  let received = "";
  socket.on("data", (bytes: Buffer) => (received += bytes.toString("latin1")));
  socket.write(`GET / HTTP/1.1\r\nHost: app.test\r\n${fields}Connection: close\r\n\r\n`);
  await once(socket, "close");
  return received;
}
/** A field of it. */
export const field = (name: string) => RegExp(`^${name}: (.*)\r$`, "im").exec(asked)?.[1];

/** From now on `asked` is a request that comes later. */
export function forget(): void {
  asked = "";
}
