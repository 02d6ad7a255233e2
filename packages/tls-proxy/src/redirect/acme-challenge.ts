import { type IncomingMessage, request as requestTo, type ServerResponse } from "node:http";
import { pipeline } from "node:stream";
import type { Address } from "@pillion/kit";
import type { UpstreamObserver } from "../http-proxy/engine.ts";
import { selectFields, withoutHopByHop } from "../http-proxy/hop-by-hop.ts";
import { answer } from "../answers/own-answer.ts";
import { answerInstead } from "../http-proxy/upstream-failure.ts";

/** What a challenge needs besides the client's request. */
export interface Challenge {
  readonly app: Address;
  /** The checked `Host`. */
  readonly authority: string;
  /** In origin-form. */
  readonly target: string;
  readonly observer: UpstreamObserver;
  /** How long the app may be without any traffic, milliseconds. */
  readonly timeout: number;
}

/**
 * Whether it is the question of an ACME server (RFC 8555 §8.3): it comes over plain HTTP, before there is a certificate.
 * Its path ends in a token of base64url; anything else under that prefix, or with a body, is redirected as all is.
 */
export function isChallenge({ method, headers }: IncomingMessage, target: string): boolean {
  const hasBody = headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0;
  return (
    (method === "GET" || method === "HEAD") && !hasBody && /^\/\.well-known\/acme-challenge\/[\w-]{1,256}$/.test(target)
  );
}

/** Asks the app. Of what the client sent it gets the path, Host and User-Agent alone. */
export function relayChallenge(
  { app, authority, target, observer, timeout }: Challenge,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const toApp = requestTo({
    ...("path" in app ? { socketPath: app.path } : app),
    agent: false,
    method: request.method,
    path: target,
    headers: ["Host", authority, ...userAgent(request), "X-Forwarded-Proto", "http", "Connection", "close"],
    setDefaultHeaders: false,
    insecureHTTPParser: false,
    timeout,
  });
  response.once("close", () => toApp.destroy());
  const instead = (error: Error) => {
    if (response.destroyed) return;
    if (response.headersSent) response.destroy();
    else answer(request, response, answerInstead(error, observer));
  };
  toApp.on("error", instead);
  toApp.on("timeout", () => toApp.destroy(new Error("the app did not answer the challenge")));
  toApp.on("upgrade", (_answer, socket) => {
    socket.destroy();
    instead(new Error("the app switched protocols"));
  });
  toApp.on("response", (fromApp) => {
    try {
      response.writeHead(fromApp.statusCode ?? 0, fromApp.statusMessage ?? "", passedOn(fromApp.rawHeaders));
    } catch (error) {
      toApp.destroy();
      return instead(error as Error); // a status or a reason that Node's parser lets in and its serializer refuses
    }
    observer.reached();
    pipeline(fromApp, response, () => {});
  });
  toApp.end();
}

function userAgent({ headers }: IncomingMessage): string[] {
  return headers["user-agent"] === undefined ? [] : ["User-Agent", headers["user-agent"]];
}

/** HSTS may not be sent over plain HTTP (RFC 6797 §7.2). */
function passedOn(fields: readonly string[]): string[] {
  return selectFields(withoutHopByHop(fields), (name) => name !== "strict-transport-security");
}
