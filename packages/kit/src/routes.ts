import type { IncomingMessage, ServerResponse } from "node:http";
import { isLoopback } from "./address.ts";

export interface RouteMatch {
  readonly url: URL;
  /** What stood for `:name` in the pattern, percent-decoded by nobody. */
  readonly params: Readonly<Record<string, string | undefined>>;
}
export type Handler = (request: IncomingMessage, response: ServerResponse, match: RouteMatch) => void | Promise<void>;

interface Route {
  readonly method: string;
  readonly pattern: URLPattern;
  readonly handler: Handler;
}

/** A few HTTP endpoints by method and path. HEAD is answered by GET's handler. */
export class Routes {
  readonly #routes: Route[] = [];
  readonly #onError: (error: unknown) => void;

  constructor(onError: (error: unknown) => void) {
    this.#onError = onError;
  }

  /** @param route method and path, such as `GET /api/v1/processes/:pid` (URL Pattern syntax) */
  add(route: string, handler: Handler): void {
    const [method = "", pathname = ""] = route.split(" ");
    this.#routes.push({ method, pattern: new URLPattern({ pathname }), handler });
  }

  /** Answers one request. It never rejects. */
  readonly handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    response.setHeader("X-Content-Type-Options", "nosniff");
    response.setHeader("Cache-Control", "no-store");
    try {
      await this.#dispatch(request, response);
    } catch (error) {
      this.#onError(error);
      if (response.headersSent) response.destroy();
      else sendText(response, 500, "internal error; the log says more\n");
    }
  };

  async #dispatch(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (isRebound(request)) return sendText(response, 421, "this address answers to loopback names only\n");
    const url = URL.parse(request.url ?? "/", "http://localhost");
    if (!url) return sendText(response, 400, "no such target\n");
    const here = this.#routes.flatMap(({ pattern, ...route }) => {
      const match = pattern.exec({ pathname: url.pathname });
      return match ? [{ ...route, params: match.pathname.groups }] : [];
    });
    if (here.length === 0) return sendText(response, 404, "no such page\n");
    const method = request.method === "HEAD" ? "GET" : request.method;
    const route = here.find((one) => one.method === method);
    if (route) return await route.handler(request, response, { url, params: route.params });
    response.setHeader("Allow", here.map((one) => (one.method === "GET" ? "GET, HEAD" : one.method)).join(", "));
    sendText(response, 405, "this method is not allowed here\n");
  }
}

/**
 * A page of another site that made its own name point to loopback (DNS rebinding): the connection came to a loopback
 * address, but Host is not a loopback name.
 */
function isRebound({ socket, headers }: IncomingMessage): boolean {
  if (!isLoopback(socket.localAddress?.replace(/^::ffff:/, "") ?? "") || headers.host === undefined) return false;
  const name = headers.host.replace(/:\d*$/, "").replace(/^\[(.*)\]$/, "$1");
  return !isLoopback(name);
}

export function sendText(response: ServerResponse, status: number, text: string): void {
  send(response, status, "text/plain; charset=utf-8", text);
}

export function sendJson(response: ServerResponse, status: number, value: unknown): void {
  send(response, status, "application/json", `${JSON.stringify(value)}\n`);
}

export function send(response: ServerResponse, status: number, contentType: string, body: string | Uint8Array): void {
  response.writeHead(status, { "Content-Type": contentType, "Content-Length": Buffer.byteLength(body) }).end(body);
}
