import { createHash } from "node:crypto";
import { once } from "node:events";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { type IncomingMessage, type ServerResponse, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { pipeline } from "node:stream/promises";

export type Page = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

export interface WebApp extends AsyncDisposable {
  readonly port: number;
  /** Paths of requests whose connection ended before their answer. */
  readonly left: readonly string[];
}

/** An app as people write them, on Node's own HTTP server; pages by path, others are 404. */
export async function startWebApp(pages: Readonly<Record<string, Page>>, prepare?: Prepare): Promise<WebApp> {
  const left: string[] = [];
  const serve: Page = async (request, response) => {
    response.once("close", () => !response.writableFinished && left.push(request.url ?? ""));
    const page = pages[request.url?.split("?")[0] ?? ""] ?? (() => void response.writeHead(404).end());
    // A client that leaves isn't this app's fault.
    await Promise.resolve(page(request, response)).catch(() => response.destroy());
  };
  const server = createServer((request, response) => void serve(request, response));
  server.on("checkContinue", (request: IncomingMessage, response: ServerResponse) => {
    if (request.url !== "/refused") response.writeContinue();
    void serve(request, response);
  });
  prepare?.(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    left,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

type Prepare = (server: ReturnType<typeof createServer>) => void;

/** Serves a file, and single ranges of it (RFC 9110 §14). */
export function fileAt(path: string): Page {
  return async (request, response) => {
    const { size } = await stat(path);
    const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "") ?? [];
    const [start, end] = first === undefined ? [0, size - 1] : [Number(first), Number(last)];
    response.writeHead(first === undefined ? 200 : 206, {
      "Content-Length": end - start + 1,
      ...(first !== undefined && { "Content-Range": `bytes ${start}-${end}/${size}` }),
    });
    if (request.method === "HEAD") response.end();
    else await pipeline(createReadStream(path, { start, end }), response);
  };
}

/** Answers with what came: how it was framed, and the hash of its body. */
export const received: Page = async (request, response) => {
  const hash = createHash("sha256");
  let length = 0;
  for await (const bytes of request) {
    hash.update(bytes as Buffer);
    length += (bytes as Buffer).length;
  }
  const { "content-length": announced, "transfer-encoding": coding } = request.headers;
  const framing = coding ?? (announced === undefined ? "none" : "length");
  response.setHeader("Content-Type", "application/json");
  response.end(JSON.stringify({ method: request.method, framing, length, hash: hash.digest("hex") }));
};
