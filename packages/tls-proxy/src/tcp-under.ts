import { Socket } from "node:net";
import type { TLSSocket } from "node:tls";

/** The connection under a TLS socket, where Node keeps it: it has no public way from one to the other. */
export function tcpUnder(socket: TLSSocket): Socket | undefined {
  const below = "_parent" in socket ? socket._parent : undefined;
  return below instanceof Socket ? below : undefined;
}
