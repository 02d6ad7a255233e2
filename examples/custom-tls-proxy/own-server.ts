import { type Server, type TlsOptions, createServer } from "node:tls";
import { type AppRelay, relayTo } from "@pillion/tls-proxy/relay";

/** The relay behind a TLS server of one's own, to an app on a port of loopback. */
export function ownServer(appPort: number, certificate: Pick<TlsOptions, "cert" | "key">): [Server, AppRelay] {
  const relay = relayTo({ host: "127.0.0.1", port: appPort }, { maxBody: 1024 * 1024 });
  const server = createServer({ ...certificate, ALPNProtocols: ["http/1.1", "http/1.0"], noDelay: true });
  server.on("secureConnection", (socket) => relay.serve(socket));
  return [server, relay];
}
