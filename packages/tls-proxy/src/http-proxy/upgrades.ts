import type { Agent, ClientRequest, IncomingMessage } from "node:http";
import { pipeline, type Duplex } from "node:stream";
import type httpProxy from "http-proxy";
import type { Engine, UpstreamObserver } from "./engine.ts";
import { connectionOptions, withoutHopByHop } from "./hop-by-hop.ts";
import type { Customization } from "./customization.ts";
import { decided } from "./decided-options.ts";
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
  const answered = new WeakSet<Duplex>();
  const requests = new WeakMap<IncomingMessage, ClientRequest>();

  // Told before http-proxy listens itself, so that its 101 is written from what `keepEndToEnd` leaves.
  proxy.on("proxyReqWs", (toApp, request, socket, options, early) => {
    requests.set(request, toApp);
    toApp.once("upgrade", (fromApp, appSocket) => {
      answered.add(socket);
      observer.reached();
      keepEndToEnd(fromApp);
      tie(socket, appSocket);
    });
    customization?.sends("proxyReqWs", toApp, request, socket, options, early);
  });

  if (customization)
    for (const event of ["open", "close"] as const)
      proxy.on(event as "open", (...rest: readonly unknown[]) => customization.tell(event, ...rest));

  return (request, socket, early, outgoing, gone) => {
    const connection = ["Connection", "Upgrade", "Upgrade", "websocket"];
    const ssl = decided(outgoing, connection, { agent, signal: gone }, customization !== undefined);
    proxy.ws(request, socket, early, { ssl }, (error) => {
      // http-proxy ends the socket after this.
      if (!answered.has(socket) && !gone.aborted) answerOnSocket(request, socket, answerInstead(error, observer));
    });
    const refuse = (problem: Error) => {
      answered.add(socket);
      answerOnSocket(request, socket, answerInstead(problem, observer));
    };
    onlyToWebSocket(request, requests.get(request), refuse);
    // In place of http-proxy's own listener, which announces the app's chunks and then sends the body without them.
    requests
      .get(request)
      ?.removeAllListeners("response")
      .once("response", (fromApp) => {
        if (fromApp.statusCode === 101) {
          fromApp.destroy(); // to nothing: Node takes it for an answer
          return refuse(new Error("it switches to no protocol"));
        }
        answered.add(socket);
        observer.reached();
        relayRefusal(fromApp, socket);
      });
  };
}

/** Lets the listeners of an upgrade, http-proxy's own among them, hear only of an answer to the request's handshake. */
function onlyToWebSocket(
  { headers }: IncomingMessage,
  toApp: ClientRequest | undefined,
  refuse: (problem: Error) => void,
): void {
  const listeners = toApp?.rawListeners("upgrade") ?? [];
  const asked = { wantsUpgrade: true, webSocketKey: headers["sec-websocket-key"] };
  toApp?.removeAllListeners("upgrade").once("upgrade", (fromApp, appSocket, early) => {
    const problem = switchProblem((name) => fromApp.headers[name]?.toString(), asked);
    if (problem === undefined) for (const listener of listeners) listener.call(toApp, fromApp, appSocket, early);
    else {
      appSocket.destroy();
      refuse(new Error(problem));
    }
  });
}

/** The body is ended by the connection's end: its chunking, if any, is decoded already. */
function relayRefusal(fromApp: IncomingMessage, socket: Duplex): void {
  const { statusCode = 502, statusMessage = "", rawHeaders } = fromApp;
  socket.write(serializeHead(statusCode, statusMessage, withoutHopByHop(rawHeaders)), "latin1");
  pipeline(fromApp, socket, () => {});
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
