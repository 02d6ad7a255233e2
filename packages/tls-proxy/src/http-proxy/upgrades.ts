import type { Agent, ClientRequest, IncomingMessage } from "node:http";
import { pipeline, type Duplex } from "node:stream";
import type httpProxy from "http-proxy";
import type { Engine, UpstreamObserver } from "./engine.ts";
import { connectionOptions, withoutHopByHop } from "./hop-by-hop.ts";
import type { Customization } from "./customization.ts";
import { decided } from "./decided-options.ts";
import type { ExchangeRecord } from "./exchange-record.ts";
import { answerOnSocket, serializeHead } from "../answers/own-answer.ts";
import { switchProblem } from "../upstream/web-socket-answer.ts";
import { answerInstead } from "./upstream-failure.ts";

/**
 * http-proxy's WebSocket side with its faults settled: the app's refusal arrives as the HTTP answer it is, connection
 * fields of the app's 101 stay here, and neither side outlives the other. A fresh connection each: a tunnel
 * never goes back into the pool.
 */
export function httpProxyUpgrades(
  proxy: httpProxy,
  agent: Agent,
  observer: UpstreamObserver,
  customization?: Customization,
): Engine["upgrade"] {
  const requests = new WeakMap<IncomingMessage, ClientRequest>();
  proxy.on("proxyReqWs", (toApp, request, socket, options, early) => {
    requests.set(request, toApp);
    customization?.sends("proxyReqWs", toApp, request, socket, options, early);
  });

  if (customization)
    for (const event of ["open", "close"] as const)
      proxy.on(event as "open", (...rest: readonly unknown[]) => customization.tell(event, ...rest));

  return (request, socket, early, outgoing, gone, record) => {
    const connection = ["Connection", "Upgrade", "Upgrade", "websocket"];
    const ssl = decided(outgoing, connection, { agent, signal: gone }, customization !== undefined);
    const instead = (error: Error) => {
      record.failed(error);
      if (record.status > 0) return; // the app has answered, and broke off
      const own = answerInstead(error, observer);
      record.status = own.status;
      answerOnSocket(request, socket, own);
    };
    const answers = (status: number) => {
      record.status = status;
      record.appAnswers();
      observer.reached();
    };
    // http-proxy ends the socket after an error.
    proxy.ws(request, socket, early, { ssl }, (error) => {
      if (!gone.aborted) instead(error);
    });
    const toApp = requests.get(request);
    onlyToWebSocket(request, toApp, instead, (fromApp, appSocket, tell) => {
      answers(101);
      keepEndToEnd(fromApp);
      tie(socket, appSocket);
      tell();
      // Behind http-proxy's own `pipe`: a listener before it would hear what came with the head, and the client wouldn't.
      socket.on("data", (bytes: Buffer) => record.received(bytes.length));
      appSocket.on("data", (bytes: Buffer) => record.sent(bytes.length));
    });
    // In place of http-proxy's own listener, which announces the app's chunks and then sends the body without them.
    toApp?.removeAllListeners("response").once("response", (fromApp) => {
      if (fromApp.statusCode === 101) {
        fromApp.destroy(); // to nothing: Node takes it for an answer
        return instead(new Error("it switches to no protocol"));
      }
      answers(fromApp.statusCode ?? 0);
      relayRefusal(fromApp, socket, record);
    });
  };
}

/**
 * Lets the listeners of an upgrade, http-proxy's own among them, hear only of an answer to the request's handshake.
 * @param agreed called in their place; they hear of it by `tell`
 */
function onlyToWebSocket(
  { headers }: IncomingMessage,
  toApp: ClientRequest | undefined,
  refuse: (problem: Error) => void,
  agreed: (fromApp: IncomingMessage, appSocket: Duplex, tell: () => void) => void,
): void {
  const listeners = toApp?.rawListeners("upgrade") ?? [];
  const asked = { wantsUpgrade: true, webSocketKey: headers["sec-websocket-key"] };
  toApp?.removeAllListeners("upgrade").once("upgrade", (fromApp, appSocket, early) => {
    const problem = switchProblem((name) => fromApp.headers[name]?.toString(), asked);
    if (problem === undefined)
      agreed(fromApp, appSocket, () => {
        for (const listener of listeners) listener.call(toApp, fromApp, appSocket, early);
      });
    else {
      appSocket.destroy();
      refuse(new Error(problem));
    }
  });
}

/** The body is ended by the connection's end: its chunking, if any, is decoded already. */
function relayRefusal(fromApp: IncomingMessage, socket: Duplex, record: ExchangeRecord): void {
  const { statusCode = 502, statusMessage = "", rawHeaders } = fromApp;
  socket.write(serializeHead(statusCode, statusMessage, withoutHopByHop(rawHeaders)), "latin1");
  fromApp.on("data", (bytes: Buffer) => record.sent(bytes.length));
  pipeline(fromApp, socket, () => {
    if (fromApp.errored) record.failed(fromApp.errored);
  });
}

/** http-proxy writes the 101 from these fields. */
function keepEndToEnd(fromApp: IncomingMessage): void {
  const upgrade = fromApp.headers.upgrade;
  const dropped = new Set([
    ...connectionOptions(fromApp.rawHeaders),
    "keep-alive",
    "content-length",
    "transfer-encoding",
    "trailer",
  ]);
  const kept = Object.entries(fromApp.headers).filter(([name]) => !dropped.has(name));
  fromApp.headers = { ...Object.fromEntries(kept), connection: "Upgrade", upgrade };
}

function tie(one: Duplex, other: Duplex): void {
  one.once("close", () => other.destroy());
  other.once("close", () => one.end());
}
