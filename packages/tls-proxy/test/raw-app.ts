import { once } from "node:events";
import { type AddressInfo, type Socket, createServer } from "node:net";

/** An app that is only a socket: it shows the very bytes that reach it and answers with any bytes. */
export interface RawApp extends AsyncDisposable {
  readonly port: number;
  /** What came in, one text (latin1) a connection, in the order of the connections. */
  readonly received: readonly string[];
  readonly open: ReadonlySet<Socket>;
  /** Takes no new connections; those that are open stay. */
  stopListening(): void;
}

/** @param onBytes called with all that a connection received so far, each time there is more */
export async function startRawApp(onBytes: (socket: Socket, received: string) => void): Promise<RawApp> {
  const received: string[] = [];
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    const index = received.push("") - 1;
    open.add(socket);
    socket.on("close", () => open.delete(socket)).on("error", () => {});
    socket.on("data", (bytes) => onBytes(socket, (received[index] += bytes.toString("latin1"))));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    received,
    open,
    stopListening: () => void server.close(),
    async [Symbol.asyncDispose]() {
      const closed = once(server, "close");
      for (const socket of open) socket.destroy();
      server.close();
      await closed;
    },
  };
}

/** Answers every request without a body, however many come on a connection, with the given bytes. */
export function answering(answer: string) {
  const answered = new WeakMap<Socket, number>();
  return (socket: Socket, received: string) => {
    const requests = received.split("\r\n\r\n").length - 1;
    const before = answered.get(socket) ?? 0;
    answered.set(socket, requests);
    for (let count = before; count < requests; count++) socket.write(answer, "latin1");
  };
}

export const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
