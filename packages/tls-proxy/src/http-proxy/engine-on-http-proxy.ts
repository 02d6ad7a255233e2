import { Agent, type ClientRequest, type IncomingMessage, type ServerResponse } from "node:http";
import { pipeline } from "node:stream";
import type { Address } from "@pillion/kit";
import { type AnswerRules, NO_RULES, applyAnswerRules } from "../answers/answer-rules.ts";
import httpProxy from "http-proxy";
import type { Engine, UpstreamObserver } from "./engine.ts";
import { selectFields, withoutHopByHop } from "./hop-by-hop.ts";
import { decided } from "./decided-options.ts";
import { httpProxyUpgrades } from "./upgrades.ts";
import { answer } from "../answers/own-answer.ts";
import { answerInstead } from "./upstream-failure.ts";
import type { UpstreamRequest } from "./upstream-request.ts";

/** A request on its way: what http-proxy's events, which know only the client's request, need besides. */
interface Passage {
  readonly gone: AbortSignal;
  readonly host: string;
  readonly onSent: ((bytes: number) => void) | undefined;
  /** Whether it went out on a connection that had been used before. */
  reused: boolean;
}

/**
 * The engine on http-proxy 1.18.1. It opens the request, pipes the body and tells of events; what it gets wrong is
 * settled around it: the request's head comes from us alone (`decided`), the answer is written here
 * (`selfHandleResponse`), and either side's end ends the other.
 */
export function httpProxyEngine(upstream: Address, observer: UpstreamObserver, rules: AnswerRules = NO_RULES): Engine {
  // http-proxy's own default, no agent, costs a connection a request. Last in, first out keeps the hot ones warm.
  const pool = new Agent({ keepAlive: true, scheduling: "lifo" });
  const fresh = new Agent({ keepAlive: false });
  const target = "path" in upstream ? { host: "localhost", port: 80, socketPath: upstream.path } : upstream;
  const proxy = httpProxy.createProxyServer({
    target: { protocol: "http:", ...target },
    toProxy: true, // otherwise it parses the target, and throws at some
    selfHandleResponse: true,
  });
  const passages = new WeakMap<IncomingMessage, Passage>();
  const instead = (error: Error, request: IncomingMessage, response: ServerResponse) =>
    answer(request, response, answerInstead(error, observer), rules);

  proxy.on("proxyReq", (toApp, request, response) => {
    const passage = passages.get(request);
    if (passage) passage.reused = toApp.reusedSocket;
    sendHeadSoon(toApp); // the app may refuse an upload by its head
    if (request.httpVersion !== "1.0") toApp.once("continue", () => response.writeContinue()); // RFC 9110 §15.2
    toApp.once("upgrade", (_answer, appSocket) => {
      appSocket.destroy();
      instead(new Error("the app switched protocols without being asked to"), request, response);
    });
    // When the app is away, or answers early and hangs up, the rest of the body would block the client's connection.
    toApp.once("close", () => request.resume());
  });

  proxy.on("proxyRes", (fromApp, request, response) => {
    try {
      const endToEnd = withoutHopByHop(fromApp.rawHeaders);
      // RFC 9110 §8.6: no length with 204.
      const said = fromApp.statusCode === 204 ? selectFields(endToEnd, (name) => name !== "content-length") : endToEnd;
      const fields = applyAnswerRules(said, passages.get(request)?.host ?? "", rules);
      response.writeHead(fromApp.statusCode ?? 0, fromApp.statusMessage ?? "", fields);
    } catch (error) {
      // A status or a reason that Node's parser lets in and its serializer refuses.
      fromApp.destroy();
      instead(error as Error, request, response);
      return;
    }
    observer.reached();
    fromApp.once("error", (error) => {
      if (!passages.get(request)?.gone.aborted) observer.failed(error);
    });
    const { onSent } = passages.get(request) ?? {};
    if (onSent) fromApp.on("data", (bytes: Buffer) => onSent(bytes.length));
    relayBody(fromApp, response);
  });

  function send(
    request: IncomingMessage,
    response: ServerResponse,
    outgoing: UpstreamRequest,
    gone: AbortSignal,
    onSent: ((bytes: number) => void) | undefined,
    agent = pool,
  ): void {
    const passage: Passage = { gone, host: outgoing.host, onSent, reused: false };
    passages.set(request, passage);
    const ssl = decided(outgoing, ["Connection", agent === pool ? "keep-alive" : "close"], { agent, signal: gone });
    proxy.web(request, response, { ssl }, (error) => {
      if (gone.aborted || response.headersSent) return; // what has begun, relayBody ends
      const stale = passage.reused && brokeOff(error);
      if (stale && isRepeatable(outgoing)) send(request, response, outgoing, gone, onSent, fresh);
      else instead(error, request, response);
    });
  }

  return {
    request: (request, response, outgoing, gone, onSent) => send(request, response, outgoing, gone, onSent),
    upgrade: httpProxyUpgrades(proxy, fresh, observer),
    close: () => pool.destroy(),
  };
}

function relayBody(fromApp: IncomingMessage, response: ServerResponse): void {
  // Destroys the other side when one ends early: a truncated answer shows, and an abandoned one costs the app nothing.
  pipeline(fromApp, response, () => {});
  sendHeadSoon(response); // server-sent events may have nothing to say for long
}

/** With the first bytes of the body where they are here already, alone where they aren't. */
function sendHeadSoon(message: ClientRequest | ServerResponse): void {
  setImmediate(() => {
    if (!message.writableEnded && !message.destroyed) message.write(NOTHING);
  });
}

/** With these the head goes out in latin1, as it came; `flushHeaders` would send it in UTF-8. */
const NOTHING = Buffer.alloc(0);

/** RFC 9112 §9.3.1: an idle connection may close while a request is on its way. */
function brokeOff(error: NodeJS.ErrnoException): boolean {
  return error.code === "ECONNRESET" || error.code === "EPIPE";
}

/** Idempotent (RFC 9110 §9.2.2), and nothing of the body is gone. */
function isRepeatable(outgoing: UpstreamRequest): boolean {
  return !outgoing.hasBody && ["GET", "HEAD", "OPTIONS", "PUT", "DELETE"].includes(outgoing.method);
}
