import { once } from "node:events";
import { type AddressInfo, type Socket, createServer } from "node:net";
import { type Message, MessageReader } from "./message-reader.ts";

/** An app on a bare socket that takes only what is right by the standard, and keeps what it saw. */
export interface ReadingApp extends AsyncDisposable {
  readonly port: number;
  /** What came in since the last call. */
  take(): Seen;
}

export interface Seen {
  readonly messages: readonly Message[];
  /** What the standard doesn't let a proxy send. */
  readonly faults: readonly string[];
  /** All bytes, also those of requests that broke off. */
  readonly octets: number;
}

/** Fits every method, HEAD as well. */
export const ANSWER = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

export async function startReadingApp(): Promise<ReadingApp> {
  let seen = nothingSeen();
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    const reader = new MessageReader();
    open.add(socket);
    socket.on("close", () => open.delete(socket)).on("error", () => {});
    socket.on("data", (bytes) => {
      seen.octets += bytes.length;
      try {
        for (const message of reader.read(bytes.toString("latin1"))) {
          seen.messages.push(message);
          socket.write(ANSWER);
        }
      } catch (error) {
        seen.faults.push((error as Error).message);
        socket.destroy();
      }
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    take() {
      const taken = seen;
      seen = nothingSeen();
      return taken;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of open) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

const nothingSeen = () => ({ messages: [] as Message[], faults: [] as string[], octets: 0 });
