import { once } from "node:events";
import { type AddressInfo, type Socket, connect as connectTcp, createServer } from "node:net";
import { connect as connectTls } from "node:tls";
import type { Case } from "./traffic.ts";

/** How long nothing must have come before a client counts itself as done, milliseconds. */
const QUIET = 150;
/** Longer than all that the proxy may rightly take for a goodbye. */
const BOUND = 15_000;

interface Target {
  readonly port: number;
  readonly ca: string;
}

/**
 * Says what the case says, leaves when nothing comes any more, and waits for the proxy's end.
 * @returns what it received, latin1
 * @throws when the proxy doesn't let go
 */
export async function playWithinTls({ port, ca }: Target, one: Case): Promise<string> {
  const raw = connectTcp({ port, host: "127.0.0.1" });
  const socket = connectTls({ socket: raw, ca, servername: "localhost", ALPNProtocols: ["http/1.1"] });
  await once(socket, "secureConnect");
  return await play(socket, raw, one);
}

export async function playBeforeTls({ port }: Target, one: Case): Promise<string> {
  const socket = connectTcp({ port, host: "127.0.0.1" });
  await once(socket, "connect");
  return await play(socket, socket, one);
}

/** @param raw what is under the socket's TLS, or the socket itself */
async function play(socket: Socket, raw: Socket, { bytes, pieces, leaves }: Case): Promise<string> {
  let received = "";
  const { promise: closed, resolve, reject } = Promise.withResolvers<undefined>();
  socket.on("data", (more) => (received += more.toString("latin1")));
  socket.on("error", () => {}).on("close", () => resolve(undefined));
  for (const piece of cut(bytes, pieces)) {
    if (!socket.writable) break;
    await new Promise((written) => socket.write(piece, "latin1", written));
  }
  socket.setTimeout(QUIET, () => {
    if (leaves === "end") socket.end();
    else raw.resetAndDestroy();
  });
  const bound = setTimeout(() => {
    reject(new Error(`the proxy didn't let go of ${JSON.stringify(bytes)}; it said ${JSON.stringify(received)}`));
    socket.destroy();
  }, BOUND);
  await closed.finally(() => clearTimeout(bound));
  return received;
}

function cut(text: string, pieces: number): string[] {
  const size = Math.ceil(text.length / pieces) || 1;
  return Array.from({ length: pieces }, (_, index) => text.slice(index * size, (index + 1) * size)).filter(Boolean);
}

/** The first bytes of a real client. */
export async function captureClientHello(): Promise<string> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const client = connectTls({
    port: (server.address() as AddressInfo).port,
    host: "127.0.0.1",
    servername: "localhost",
  });
  client.on("error", () => {});
  const [accepted] = (await once(server, "connection")) as [Socket];
  const [bytes] = (await once(accepted, "data")) as [Buffer];
  client.destroy();
  accepted.destroy();
  server.close();
  return bytes.toString("latin1");
}
