import { readFileSync } from "node:fs";
import { Agent, type RequestListener } from "node:http";
import { createServer } from "node:https";

const [port, upstreamPort, pem = ""] = process.argv.slice(2);

export const upstream = `http://127.0.0.1:${upstreamPort}`;

/** Connections to the app are kept. */
export function keepAliveAgent(): Agent {
  return new Agent({ keepAlive: true, scheduling: "lifo" });
}

/** What every peer in Node has in front of it. */
export function serve(handler: RequestListener): void {
  const identity = readFileSync(pem);
  const server = createServer({ key: identity, cert: identity, keepAliveTimeout: 600_000, requestTimeout: 0 }, handler);
  server.listen({ port, host: "127.0.0.1", backlog: 8192 });
}
