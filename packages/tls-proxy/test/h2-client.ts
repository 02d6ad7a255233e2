import { once } from "node:events";
import { type ClientHttp2Session, type ClientHttp2Stream, type IncomingHttpHeaders, connect } from "node:http2";
import type { StartedProxy } from "./start-proxy.ts";

/** An answer, read to its end. */
export interface H2Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly trailers: IncomingHttpHeaders;
}

export interface H2Client extends AsyncDisposable {
  readonly session: ClientHttp2Session;
  /** Sends a request; what isn't said of it is a GET of `/` without a body. */
  request(headers?: Record<string, string | string[]>, body?: string | Buffer): Promise<H2Answer>;
}

/** Node's own client, on one connection. */
export async function connectH2({ port, ca }: Pick<StartedProxy, "port" | "ca">, options = {}): Promise<H2Client> {
  const session = connect(`https://localhost:${port}`, { ca, ...options });
  session.on("error", () => {});
  await once(session, "remoteSettings"); // what it may ask for is known by then
  return {
    session,
    async request(headers = {}, body) {
      const stream = session.request(headers, { endStream: body === undefined });
      if (body !== undefined) stream.end(body);
      return await answerOf(stream);
    },
    async [Symbol.asyncDispose]() {
      if (session.destroyed) return;
      session.destroy();
      await once(session, "close");
    },
  };
}

/** @throws when the stream is reset, with its code in the message */
export async function answerOf(stream: ClientHttp2Stream): Promise<H2Answer> {
  let trailers: IncomingHttpHeaders = {};
  stream.on("trailers", (fields) => (trailers = fields));
  const [headers] = (await once(stream, "response")) as [IncomingHttpHeaders & { ":status": number }];
  const pieces: Buffer[] = [];
  for await (const piece of stream) pieces.push(piece as Buffer);
  return { status: headers[":status"], headers, body: Buffer.concat(pieces).toString("latin1"), trailers };
}
