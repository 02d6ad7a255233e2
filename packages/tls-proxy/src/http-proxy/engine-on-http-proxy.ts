import { Agent, type ClientRequest, type IncomingMessage, type ServerResponse } from "node:http";
import { pipeline } from "node:stream";
import type { Address } from "@pillion/kit";
import { type AnswerRules, NO_RULES, applyAnswerRules } from "../answers/answer-rules.ts";
import httpProxy from "http-proxy";
import type { Engine, ExchangeClient, UpstreamObserver } from "./engine.ts";
import type { ExchangeRecord } from "./exchange-record.ts";
import { selectFields, withoutHopByHop } from "./hop-by-hop.ts";
import { decided } from "./decided-options.ts";
import { Customization, type HttpProxyEvents } from "./customization.ts";
import { ABOUT_BYTES, type RewriteBody, hasBody, rewriteOf } from "./rewrite-body.ts";
import { ListenerError } from "./listener-error.ts";
import { IDEMPOTENT } from "../relay/repeatable.ts";
import { isEventStream } from "./event-stream.ts";
import { httpProxyUpgrades } from "./upgrades.ts";
import { answer } from "../answers/own-answer.ts";
import { answerInstead } from "./upstream-failure.ts";
import type { UpstreamRequest } from "./upstream-request.ts";

/** A request on its way: what http-proxy's events, which know only the client's request, need besides. */
interface Passage {
  readonly outgoing: UpstreamRequest;
  readonly client: ExchangeClient;
  readonly record: ExchangeRecord;
  /** Whether it went out on a connection that had been used before. */
  reused: boolean;
}

/**
 * The engine on http-proxy 1.18.1. It opens the request, pipes the body and tells of events; what it gets wrong is
 * settled around it: the request's head comes from us alone (`decided`), the answer is written here
 * (`selfHandleResponse`), and either side's end ends the other.
 * @param attach attaches listeners of somebody's own to http-proxy's events
 */
export function httpProxyEngine(
  upstream: Address,
  observer: UpstreamObserver,
  rules: AnswerRules = NO_RULES,
  attach?: (proxy: HttpProxyEvents) => void,
): Engine {
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
  const customization = attach && new Customization(attach);
  const instead = (error: Error, request: IncomingMessage, response: ServerResponse) => {
    const own = answerInstead(error, observer);
    passages.get(request)?.record.failed(error);
    customization?.failed(error, request, response);
    if (!response.headersSent) answer(request, response, own, rules);
  };

  proxy.on("proxyReq", (toApp, request, response, options) => {
    const passage = passages.get(request);
    if (passage) {
      passage.reused = toApp.reusedSocket;
      if (passage.client.gone) toApp.destroy();
      passage.client.onGone = () => toApp.destroy();
      if (passage.outgoing.hasBody) sendHeadSoon(toApp); // the app may refuse an upload by its head
    }
    if (request.httpVersion !== "1.0") toApp.once("continue", () => response.writeContinue()); // RFC 9110 §15.2
    toApp.once("upgrade", (_answer, appSocket) => {
      appSocket.destroy();
      instead(new Error("the app switched protocols without being asked to"), request, response);
    });
    // When the app is away, or answers early and hangs up, the rest of the body would block the client's connection.
    toApp.once("close", () => request.resume());
    customization?.sends("proxyReq", toApp, request, response, options);
  });

  proxy.on("proxyRes", (fromApp, request, response) => {
    let rewrite: RewriteBody | undefined;
    try {
      const said = customization?.answers(fromApp, request, response) ?? fromApp.rawHeaders;
      if (response.headersSent) return void fromApp.resume(); // a listener has answered
      rewrite = rewriteOf(fromApp);
      // RFC 9110 §8.6: no length with 204.
      const dropped = rewrite ? ABOUT_BYTES : fromApp.statusCode === 204 ? LENGTH : undefined;
      const endToEnd = selectFields(withoutHopByHop(said), (name) => !dropped?.has(name));
      const fields = applyAnswerRules(endToEnd, passages.get(request)?.outgoing.host ?? "", rules);
      response.writeHead(fromApp.statusCode ?? 0, fromApp.statusMessage ?? "", fields);
    } catch (error) {
      // What a listener threw, or a status or a reason that Node's parser lets in and its serializer refuses.
      fromApp.destroy();
      instead(error as Error, request, response);
      if (!response.writableEnded) response.destroy(); // a listener had begun an answer
      return;
    }
    observer.reached();
    const { client, record } = passages.get(request) ?? {};
    record?.appAnswers();
    const broken = (error: Error) => {
      response.destroy(); // a truncated answer shows
      if (client?.gone) return;
      observer.failed(error);
      record?.failed(error);
    };
    fromApp.once("error", broken);
    if (isEventStream(fromApp, request.method)) record?.eventStreamBegins();
    relayBody(fromApp, response, hasBody(fromApp, request.method) ? rewrite : undefined, { record, broken });
    if (customization) fromApp.once("end", () => customization.tell("end", request, response, fromApp));
  });

  function send(
    request: IncomingMessage,
    response: ServerResponse,
    outgoing: UpstreamRequest,
    client: ExchangeClient,
    record: ExchangeRecord,
    agent = pool,
  ): void {
    const passage: Passage = { outgoing, client, record, reused: false };
    passages.set(request, passage);
    const connection = ["Connection", agent === pool ? "keep-alive" : "close"];
    const ssl = decided(outgoing, connection, { agent }, customization !== undefined);
    proxy.web(request, response, { ssl }, (error) => {
      if (client.gone || response.headersSent) return; // what has begun, relayBody ends
      const stale = passage.reused && brokeOff(error);
      if (stale && isRepeatable(outgoing)) send(request, response, outgoing, client, record, fresh);
      else instead(error, request, response);
    });
    // Behind http-proxy's own `pipe`, whose pace it is.
    if (outgoing.hasBody) request.on("data", (bytes: Buffer) => record.received(bytes.length));
  }

  return {
    request: (...exchange) => send(...exchange),
    upgrade: httpProxyUpgrades(proxy, fresh, observer, customization),
    close: () => pool.destroy(),
  };
}

function relayBody(
  fromApp: IncomingMessage,
  response: ServerResponse,
  rewrite: RewriteBody | undefined,
  { record, broken }: { record: ExchangeRecord | undefined; broken: (error: Error) => void },
): void {
  if (rewrite)
    pipeline(
      fromApp,
      (body: AsyncIterable<Buffer>) => counted(rewrite(body), record),
      response,
      (error) => {
        if (error && !fromApp.errored) broken(new ListenerError("rewriteBody", error));
      },
    );
  else {
    if (record) fromApp.on("data", (bytes: Buffer) => record.sent(bytes.length));
    fromApp.pipe(response);
  }
  sendHeadSoon(response); // server-sent events may have nothing to say for long
}

async function* counted(pieces: AsyncIterable<string | Buffer>, record?: ExchangeRecord) {
  for await (const piece of pieces) {
    record?.sent(Buffer.byteLength(piece));
    yield piece;
  }
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

/** The relay's `isRepeatable` of a request that Node has parsed: nothing of a body is gone. */
function isRepeatable(outgoing: UpstreamRequest): boolean {
  return !outgoing.hasBody && IDEMPOTENT.includes(outgoing.method);
}

const LENGTH: ReadonlySet<string> = new Set(["content-length"]);
