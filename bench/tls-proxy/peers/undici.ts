import type { IncomingMessage, ServerResponse } from "node:http";
import { type Dispatcher, Pool } from "undici";
import { serve, upstream } from "./tls-front.ts";

/** More than clients ask at once. */
const CONNECTIONS = 256;
/** They concern one connection (RFC 9110 §7.6.1); undici makes its own. */
const HOP_BY_HOP = new Set(["connection", "keep-alive", "transfer-encoding", "upgrade", "te", "expect"]);

const pool = new Pool(upstream, { connections: CONNECTIONS, pipelining: 1 });

serve((request, response) => {
  const hasBody = request.headers["content-length"] !== undefined || request.headers["transfer-encoding"] !== undefined;
  const what = { path: request.url ?? "/", method: request.method ?? "GET", headers: fieldsFor(request) };
  pool.dispatch({ ...what, body: hasBody ? request : null }, passTo(response));
});

function fieldsFor({ rawHeaders, socket, headers }: IncomingMessage): string[] {
  const fields = withoutHopByHop(rawHeaders);
  const host = headers.host ?? "";
  fields.push("x-forwarded-for", socket.remoteAddress ?? "", "x-forwarded-proto", "https", "x-forwarded-host", host);
  return fields;
}

function withoutHopByHop(raw: readonly (string | Buffer)[]): string[] {
  const fields: string[] = [];
  for (let at = 0; at < raw.length; at += 2) {
    const name = String(raw[at]);
    if (!HOP_BY_HOP.has(name.toLowerCase())) fields.push(name, String(raw[at + 1]));
  }
  return fields;
}

function passTo(response: ServerResponse): Dispatcher.DispatchHandler {
  return {
    onRequestStart(controller) {
      response.on("close", () => response.writableFinished || controller.abort(new Error("the client has gone")));
      response.on("drain", () => controller.resume());
    },
    onResponseStart({ rawHeaders }, status) {
      response.writeHead(status, withoutHopByHop(rawHeaders as Buffer[]));
    },
    onResponseData(controller, chunk) {
      if (!response.write(chunk)) controller.pause();
    },
    onResponseEnd() {
      response.end();
    },
    onResponseError(_controller, error) {
      console.error(error.message);
      response.destroy();
    },
  };
}
