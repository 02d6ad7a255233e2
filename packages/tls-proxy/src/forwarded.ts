import { isIPv6 } from "node:net";
import { selectFields } from "./hop-by-hop.ts";

/** What the proxy itself knows of where a request came from. */
export interface Arrival {
  /** The peer's address as the socket gives it; nothing once the peer has gone. */
  readonly clientAddress: string | undefined;
  /** What the request is for, `name` or `name:port`; checked before. */
  readonly host: string;
}

/**
 * Header fields with `X-Forwarded-*` and `Forwarded` (RFC 7239) of our own making. Everything the client sent in these
 * fields goes first, so that no client can tell the app who it is.
 */
export function withForwarded(fields: readonly string[], arrival: Arrival): string[] {
  const client = plainAddress(arrival.clientAddress);
  const ours = {
    "X-Forwarded-For": client,
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": arrival.host,
    "X-Forwarded-Port": portOf(arrival.host),
    Forwarded: `for=${isIPv6(client) ? `"[${client}]"` : client};host="${arrival.host}";proto=https`,
  };
  return [...selectFields(fields, (name) => !isForwarded(name)), ...Object.entries(ours).flat()];
}

/** CGI and WSGI read `X_Forwarded_For` as the same variable as `X-Forwarded-For`, so both spellings count. */
function isForwarded(name: string): boolean {
  const spelling = name.replaceAll("_", "-");
  return spelling === "forwarded" || spelling === "x-real-ip" || spelling.startsWith("x-forwarded-");
}

/** Sockets that serve both families give an IPv4 peer as `::ffff:192.0.2.1`, and a link-local one with its zone. */
function plainAddress(address = "unknown"): string {
  return address.replace(/^::ffff:(?=\d+\.)/i, "").replace(/%.*$/, "");
}

/** The port the client used: behind a port mapping it isn't the one that is listened on here. */
function portOf(host: string): string {
  return /:(\d+)$/.exec(host)?.[1] ?? "443";
}
