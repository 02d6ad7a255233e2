import { FieldKind } from "../http1/field-kind.ts";
import type { RequestHead } from "../http1/request-head.ts";

/** A request's head, as the app gets it, in the form that HTTP/2 has for it: names and values in turn. */
export function requestList(head: RequestHead): string[] {
  const { fields } = head;
  // All trailers are passed on, whatever the client said; apps that speak gRPC want to hear it.
  const list = [
    ":method",
    head.method,
    ":scheme",
    "http",
    ":authority",
    head.authority,
    ":path",
    head.target,
    "te",
    "trailers",
  ];
  for (let index = 0; index < fields.count; index++)
    if (!OF_HTTP1.has(fields.kind[index] ?? 0)) list.push(fields.name(index), fields.value(index));
  return list;
}

/** What has no place in HTTP/2, or another one (RFC 9113 §8.2.2, §8.3.1). */
const OF_HTTP1: ReadonlySet<number> = new Set([
  FieldKind.host,
  FieldKind.connection,
  FieldKind.hopByHop,
  FieldKind.upgrade,
  FieldKind.transferEncoding,
]);
