import type { Server as TcpServer, ServerOpts } from "node:net";
import type { Server } from "node:tls";
import { type GateOptions, proxyProtocolGate } from "../proxy-protocol/gate.ts";
import type { Arrivals } from "./arrivals.ts";

/** The peers that have to send a PROXY header, and what hears of those that don't. */
export type ProxyProtocolOptions = Pick<GateOptions, "requiredFrom" | "onRefused">;

/** The server that listens instead of a TLS server where load balancers have to say who the client is. */
export function gateBefore(
  server: Server,
  arrivals: Arrivals,
  options: ProxyProtocolOptions,
  serverOptions: ServerOpts,
): TcpServer {
  return proxyProtocolGate(
    {
      timeout: HEADER_TIMEOUT,
      ...options,
      pass(socket, header) {
        if (header) arrivals.announce(socket, header);
        server.emit("connection", socket);
      },
    },
    serverOptions,
  );
}

/** Milliseconds. The header is due at once, and TLS waits for it. */
const HEADER_TIMEOUT = 5_000;
