import { createHash } from "node:crypto";
import { once } from "node:events";
import { type RequestListener, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";

const BREATH = 4 << 20;

/** SHA-256 of a stream that is read slowly: a breath every 4 MiB is load, not waiting for a condition. */
export async function slowDigest(stream: Readable): Promise<string> {
  const hash = createHash("sha256");
  let bytes = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    hash.update(chunk);
    if (Math.floor(bytes / BREATH) !== Math.floor((bytes += chunk.length) / BREATH)) await delay(5);
  }
  return hash.digest("hex");
}

/** An app on Node's own HTTP server, on a free loopback port. */
export async function httpApp(listener: RequestListener): Promise<AsyncDisposable & { port: number }> {
  const server = createServer(listener).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}
