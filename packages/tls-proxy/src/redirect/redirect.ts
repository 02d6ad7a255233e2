import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Address } from "@pillion/kit";
import { isChallenge, relayChallenge } from "./acme-challenge.ts";
import { type Authority, parseAuthority } from "./authority.ts";
import { aborted } from "../aborted.ts";
import type { UpstreamObserver } from "../http-proxy/engine.ts";
import { fieldValues } from "../http-proxy/hop-by-hop.ts";
import { answer, answerOnSocket, refused } from "../answers/own-answer.ts";
import { LINGER } from "../front/linger.ts";
import { refusalOf } from "../http-proxy/request-rules.ts";
import { originForm } from "../http-proxy/upstream-request.ts";

export type PlainOutcome = "redirected" | "challenge" | "refused";

export interface RedirectOptions {
  /** Where ACME challenges go. */
  readonly app: Address;
  /** The port of https as clients see it, where it is known. */
  readonly port: number | undefined;
  /** The port that https is listened on, or nothing on a unix socket. */
  readonly listenPort: number | undefined;
  readonly observer: UpstreamObserver & { plain(outcome: PlainOutcome): void };
  /** Times in milliseconds, sizes in bytes. */
  readonly limits?: Partial<typeof LIMITS>;
  /** Aborts when answers have to say `Connection: close`, as it will stop. */
  readonly stopping?: AbortSignal;
}

/** Answers plain HTTP with a redirect to the same under https. ACME challenges alone reach the app. */
export class Redirect {
  readonly server: Server;
  readonly #options: RedirectOptions;
  readonly #answers = new Map<ServerResponse, IncomingMessage>();
  /** Connections that end with a refused CONNECT, of which Node lets go. */
  readonly #tunnels = new Set<Socket>();
  readonly #challengeTimeout: number;
  #draining = false;

  constructor(options: RedirectOptions) {
    this.#options = options;
    const { stallTimeout, maxConnections, challengeTimeout, ...http } = { ...LIMITS, ...options.limits };
    this.#challengeTimeout = challengeTimeout;
    this.server = createServer({ ...http, insecureHTTPParser: false, requireHostHeader: false }); // refused here, and counted
    this.server.maxHeadersCount = 0; // no silent dropping of fields: request-rules.ts counts and refuses
    this.server.maxConnections = maxConnections;
    this.server.setTimeout(stallTimeout);
    this.server.on("request", (request, response) => this.#serve(request, response));
    this.server.on("checkContinue", (request: IncomingMessage, response: ServerResponse) => {
      response.shouldKeepAlive = false; // whether the body still comes can't be known (RFC 9110 §10.1.1)
      this.#serve(request, response);
    });
    this.server.on("connect", (request, socket) => void this.#refuseTunnel(request, socket as Socket));
    this.server.on("clientError", (error, socket) => this.#refuseConnection(error, socket as Socket));
  }

  /**
   * Stops accepting, and lets what was begun end until the deadline.
   * @returns what was still in flight then and is cut off, one line each
   */
  async drain(deadline: AbortSignal): Promise<string[]> {
    this.#draining = true;
    const closed = once(this.server, "close");
    this.server.close();
    for (const response of this.#answers.keys()) response.shouldKeepAlive = false;
    const answered = Promise.allSettled([...this.#answers.keys()].map((response) => once(response, "close")));
    await Promise.race([answered, aborted(deadline)]);
    const cutOff = [...this.#answers.values()].map(
      ({ method, url }) => `${method} ${url?.replace(/\?.*$/, "")} (plain)`,
    );
    this.server.closeAllConnections(); // half a request would hold the server open for as long as its client likes
    for (const socket of this.#tunnels) socket.destroy();
    await closed;
    return cutOff;
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    this.#answers.set(response, request);
    response.once("close", () => this.#answers.delete(response));
    const { app, observer, stopping } = this.#options;
    // Behind a head with `Upgrade` Node's parser drops what was pipelined, though nothing is switched to.
    const isLast = request.headers.upgrade !== undefined || this.#draining || stopping?.aborted;
    if (isLast) response.shouldKeepAlive = false;
    const { target, authority = fieldValues(request.rawHeaders, "host")[0] ?? "" } = originForm(request.url ?? "");
    const host = parseAuthority(authority);
    const refusal = refusalOf(request);
    if (refusal || !host || target === "*") {
      observer.plain("refused");
      return answer(request, response, refused(refusal ?? NO_PLACE));
    }
    if (isChallenge(request, target)) {
      observer.plain("challenge");
      return relayChallenge({ app, authority, target, observer, timeout: this.#challengeTimeout }, request, response);
    }
    observer.plain("redirected");
    const location = `https://${host.name}${portSuffix(this.#httpsPort(host))}${target}`;
    // Not kept by browsers, as a permanent redirect otherwise is, for good: HSTS is there for that.
    response.writeHead(308, { Location: location, "Cache-Control": "no-store", "Content-Length": 0 }).end();
  }

  /** Who came to port 80 finds https at 443, whatever is mapped to what behind; who came to another port came directly. */
  #httpsPort({ port = 80 }: Authority): number {
    const { port: told, listenPort } = this.#options;
    return told ?? (port === 80 ? undefined : listenPort) ?? 443;
  }

  /** Behind the answers to what was pipelined before it. What its client sends for the tunnel is read and dropped. */
  async #refuseTunnel(request: IncomingMessage, socket: Socket): Promise<void> {
    this.#tunnels.add(socket);
    socket.once("close", () => this.#tunnels.delete(socket));
    socket.on("error", () => {}).resume(); // Node's own listeners went with the parser; 'close' follows
    this.#options.observer.plain("refused");
    const before = [...this.#answers].filter(([, { socket: one }]) => one === socket);
    await Promise.all(before.map(([response]) => once(response, "close")));
    answerOnSocket(request, socket, refused(refusalOf(request) ?? NO_PLACE));
    const linger = setTimeout(() => socket.destroy(), LINGER);
    socket.once("close", () => clearTimeout(linger));
  }

  #refuseConnection(error: NodeJS.ErrnoException, socket: Socket): void {
    if (!socket.writable || error.code === "ECONNRESET" || this.#isAnswering(socket)) return void socket.destroy();
    this.#options.observer.plain("refused");
    const status = { HPE_HEADER_OVERFLOW: 431, ERR_HTTP_REQUEST_TIMEOUT: 408 }[error.code ?? ""] ?? 400;
    const explanation = "The request was refused: this is not well-formed HTTP, too long or too slow.";
    answerOnSocket(undefined, socket, { status, explanation });
  }

  #isAnswering(socket: Socket): boolean {
    return [...this.#answers.values()].some((request) => request.socket === socket);
  }
}

const NO_PLACE = { status: 400, reason: "it doesn't say for which host and path it is" };

function portSuffix(port: number): string {
  return port === 443 ? "" : `:${port}`;
}

const LIMITS = {
  headersTimeout: 20_000,
  /** Of the whole request: nobody has to upload anything here. */
  requestTimeout: 30_000,
  connectionsCheckingInterval: 2_000,
  keepAliveTimeout: 5_000,
  maxHeaderSize: 32 * 1024,
  maxConnections: 1_000,
  stallTimeout: 60_000,
  /** ACME servers wait for about as long. */
  challengeTimeout: 10_000,
};
