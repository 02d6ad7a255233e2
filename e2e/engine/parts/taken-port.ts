import { once } from "node:events";
import { createServer } from "node:net";

/** Listens on a port of loopback until it is disposed of. */
export async function takePort(port: number): Promise<AsyncDisposable> {
  const server = createServer();
  await once(server.listen({ host: "127.0.0.1", port }), "listening");
  return server;
}
