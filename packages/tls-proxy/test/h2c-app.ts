import { once } from "node:events";
import { type IncomingHttpHeaders, type ServerHttp2Stream, createServer } from "node:http2";
import type { AddressInfo } from "node:net";

export interface H2cApp extends AsyncDisposable {
  readonly port: number;
  readonly heads: readonly IncomingHttpHeaders[];
  readonly streams: ReadonlySet<ServerHttp2Stream>;
  /** Takes no new connections; those that are open stay. */
  stopListening(): void;
}

/** An app that speaks HTTP/2 without TLS, and nothing else. */
export async function startH2cApp(
  onStream: (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void,
  settings = {},
): Promise<H2cApp> {
  const heads: IncomingHttpHeaders[] = [];
  const streams = new Set<ServerHttp2Stream>();
  const server = createServer({ settings });
  server.on("session", (session) => void sessions.add(session));
  const sessions = new Set<{ destroy(): void }>();
  server.on("stream", (one, headers) => {
    const stream = one as ServerHttp2Stream;
    heads.push(headers);
    streams.add(stream);
    stream.on("error", () => {}).once("close", () => streams.delete(stream));
    onStream(stream, headers);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    heads,
    streams,
    stopListening: () => void server.close(),
    async [Symbol.asyncDispose]() {
      const closed = server.listening ? once(server, "close") : undefined;
      for (const session of sessions) session.destroy();
      server.close();
      await closed;
    },
  };
}

/** As a gRPC server does it: the status in the trailers. */
export function echo(stream: ServerHttp2Stream): void {
  stream.respond({ "content-type": "application/grpc" }, { waitForTrailers: true });
  stream.once("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0", "grpc-message": "fine" }));
  stream.pipe(stream);
}

/** The head of a gRPC call. */
export const CALL = {
  ":method": "POST",
  ":path": "/shop.Cart/Add",
  "content-type": "application/grpc",
  te: "trailers",
};
