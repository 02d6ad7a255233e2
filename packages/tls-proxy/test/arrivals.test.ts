import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import type { AddressInfo, Server as TcpServer, Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Server, type TLSSocket, connect, createServer } from "node:tls";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Arrivals } from "../src/front/arrivals.ts";
import { makeAuthority } from "./certificates/pki.ts";

const authority = await makeAuthority("CA");
const { cert, key } = await authority.issue({ names: ["localhost"] });

let server: Server;
let arrivals: Arrivals;
beforeEach(() => {
  server = createServer({ cert, key });
  const open = new Set<Socket>();
  (server as TcpServer).on("connection", (raw) => {
    open.add(raw);
    raw.once("close", () => open.delete(raw));
  });
  arrivals = new Arrivals(server, open);
});
afterEach(() => void server.close());

/** Two clients, and the server's side of each. */
async function twoClients(where: { port: number } | { path: string }) {
  const pairs: { client: TLSSocket; socket: TLSSocket }[] = [];
  for (let count = 0; count < 2; count++) {
    const client = connect({ ...where, host: "127.0.0.1", ca: authority.ca, servername: "localhost" });
    const [socket] = (await once(server, "secureConnection")) as [TLSSocket];
    socket.on("error", () => {});
    pairs.push({ client: client.on("error", () => {}), socket });
  }
  return pairs;
}

test.each([
  ["as Node tells it", () => {}],
  ["where Node doesn't tell", (socket: TLSSocket) => Object.defineProperty(socket, "_parent", { value: null })],
])("each TLS socket is known by the connection under it, %s", async (_how, change) => {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  for (const { client, socket } of await twoClients({ port })) {
    change(socket);
    expect(arrivals.of(socket)).toMatchObject({
      client: { address: "127.0.0.1", port: client.localPort },
      local: { address: "127.0.0.1", port },
    });
    expect(arrivals.under(socket)).toMatchObject({ remotePort: client.localPort });
    client.destroy();
  }
});

test("over a unix socket neither end has an address, and there is no reset: the connection just ends", async () => {
  const directory = await mkdtemp(join(tmpdir(), "arrivals-"));
  const path = join(directory, "socket");
  server.listen(path);
  await once(server, "listening");
  for (const { client, socket } of await twoClients({ path })) {
    const arrival = arrivals.of(socket);
    expect([arrival.client, arrival.local]).toEqual([undefined, undefined]);
    const closed = once(client, "close");
    client.resume();
    arrival.reset();
    await closed;
  }
  await rm(directory, { recursive: true });
});
