import type { AccessEntry } from "./access-line.ts";
import type { TLSSocket } from "node:tls";
import type { Arrival } from "../front/arrivals.ts";
import { RequestHead, parseRequestHead } from "../http1/request-head.ts";

/** nginx's status for requests whose client left before there was an answer. */
export const CLIENT_GONE = 499;

export type Outcome = AccessEntry["outcome"];
/** What the exchange itself knows. */
export type Numbers = Pick<
  AccessEntry,
  "status" | "duration" | "bytesSent" | "bytesReceived" | "upstreamTime" | "error" | "outcome"
>;

/** A client connection, as far as it is told of. */
export interface Client {
  readonly socket: TLSSocket;
  readonly arrival: Arrival;
}

/** Used within one call only. */
const HEAD = new RequestHead();

/** What the access log says of an exchange. @param head the request's, as the app got it */
export function accessEntry(client: Client, head: Buffer, numbers: Numbers): AccessEntry {
  parseRequestHead(HEAD, head, 0, head.length);
  const { fields, method, target, authority: host } = HEAD;
  const value = (name: string) => {
    for (let index = 0; index < fields.count; index++) if (fields.name(index) === name) return fields.value(index);
    return undefined;
  };
  const said = { method, target, host, referer: value("referer"), userAgent: value("user-agent") };
  return { ...connectionFacts(client), ...said, ...numbers, time: Date.now() - numbers.duration };
}

/**
 * The same of a request that was refused by its head.
 * @param head where it was well-formed; any other nobody shall read as one
 */
export function refusedEntry(client: Client, status: number, head?: Buffer): AccessEntry {
  const numbers = { status, duration: 0, bytesSent: 0, bytesReceived: 0, outcome: "refused" as const };
  const reason = status === 403 ? client.arrival.refusal : undefined; // 400 and the like are the request's fault
  if (head !== undefined) {
    const entry = { ...accessEntry(client, head, numbers), reason };
    return HEAD.minorVersion === 0 ? { ...entry, protocol: "HTTP/1.0" } : entry;
  }
  return { ...connectionFacts(client), method: "-", target: "-", ...numbers, time: Date.now(), reason };
}

/** What is the same for all requests of a connection. */
export function connectionFacts({ socket, arrival }: Client) {
  return {
    client: arrival.client?.address ?? "-",
    clientSubject: arrival.clientSubject,
    protocol: socket.alpnProtocol === "h2" ? "HTTP/2.0" : "HTTP/1.1",
    tlsVersion: socket.getProtocol() ?? undefined,
    cipher: socket.getCipher()?.name,
    alpn: socket.alpnProtocol || undefined,
    serverName: ("servername" in socket && typeof socket.servername === "string" && socket.servername) || undefined,
  };
}
