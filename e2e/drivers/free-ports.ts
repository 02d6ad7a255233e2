import { once } from "node:events";
import { type Server, createServer } from "node:net";
import { randomInt } from "node:crypto";

/** Below the range that Linux takes the ports of outgoing connections from (ip(7): 32768 to 60999). */
const [LOWEST, HIGHEST] = [20_000, 32_000] as const;

/** Ports that nobody listens on: held all at once, and let go together. */
export async function freePorts(count: number): Promise<number[]> {
  const held = new Map<number, Server>();
  while (held.size < count) {
    const port = randomInt(LOWEST, HIGHEST);
    const server = createServer();
    if (!held.has(port) && (await listens(server, port))) held.set(port, server);
  }
  await Promise.all([...held.values()].map((server) => server[Symbol.asyncDispose]()));
  return [...held.keys()];
}

async function listens(server: Server, port: number): Promise<boolean> {
  try {
    await once(server.listen({ host: "127.0.0.1", port }), "listening");
    return true;
  } catch {
    return false;
  }
}
