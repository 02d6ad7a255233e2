// Hot path: lines that stay are copied in runs, as they came.
import { FieldKind } from "./field-kind.ts";
import type { Fields } from "./fields.ts";
import type { Origin } from "./origin.ts";
import type { Outgoing } from "./outgoing.ts";
import type { RequestHead } from "./request-head.ts";

/**
 * Writes the head that the app gets: the target in origin-form byte for byte, end-to-end fields as they came, none of
 * one connection's own (RFC 9110 §7.6.1), and the origin as the proxy saw it.
 * @param defaultHost the Host for HTTP/1.0 clients that send none
 */
export function forwardRequestHead(head: RequestHead, origin: Origin, defaultHost: string, out: Outgoing): void {
  const { fields } = head;
  const host = head.authority || defaultHost;
  const hostGiven = head.authorityEnd === head.authorityStart && head.host >= 0;
  let copied = head.fieldsStart;
  if (hostGiven && head.minorVersion === 1) copied = head.start;
  else writeRequestLine(head, out);
  if (!hostGiven) out.text(`Host: ${host}\r\n`);
  copyLines(fields, out, copied, head.fieldsStart, (index) => staysInRequest(head, index, hostGiven));
  if (origin.trusted) out.text(origin.linesBehind(host, saidBefore(fields)));
  else out.text(origin.lines(host));
  if (head.framing === "chunked") out.text("Transfer-Encoding: chunked\r\n");
  if (head.upgradeField >= 0) out.text(`Connection: Upgrade\r\nUpgrade: ${fields.value(head.upgradeField)}\r\n`);
  out.text("\r\n");
}

function writeRequestLine(head: RequestHead, out: Outgoing): void {
  const { bytes, pathStart, targetEnd } = head;
  out.copy(bytes, head.start, head.methodEnd + 1);
  // RFC 9112 §3.2.1: an empty path is sent as /.
  if (bytes[pathStart] !== 0x2f && bytes[pathStart] !== 0x2a) out.text("/");
  out.copy(bytes, pathStart, targetEnd);
  out.text(" HTTP/1.1\r\n");
}

function staysInRequest(head: RequestHead, index: number, hostGiven: boolean): boolean {
  const { fields } = head;
  switch (fields.kind[index]) {
    case FieldKind.connection:
    case FieldKind.hopByHop:
    case FieldKind.upgrade:
    case FieldKind.transferEncoding:
    case FieldKind.origin:
      return false;
    case FieldKind.host:
      return hostGiven;
    case FieldKind.expect:
      return head.expectsContinue;
    case FieldKind.trailer:
      return head.framing === "chunked";
    default:
      return head.listed === undefined || !head.listed.includes(fields.name(index));
  }
}

/** Copies `bytes[from, to)`, which ends where the fields begin, and the lines that stay: as few long runs. */
export function copyLines(
  fields: Fields,
  out: Outgoing,
  from: number,
  to: number,
  stays: (index: number) => boolean,
): void {
  const { bytes, count, lineStart, lineEnd } = fields;
  for (let index = 0; index < count; index++) {
    if (!stays(index)) continue;
    const start = lineStart[index] ?? 0;
    if (start !== to) {
      if (to > from) out.copy(bytes, from, to);
      from = start;
    }
    to = lineEnd[index] ?? 0;
  }
  if (to > from) out.copy(bytes, from, to);
}

/** What a trusted proxy said of the request's origin, by lower-case name; of several lines one list. */
function saidBefore(fields: Fields): Map<string, string> {
  const said = new Map<string, string>();
  for (let index = 0; index < fields.count; index++) {
    if (fields.kind[index] !== FieldKind.origin) continue;
    const [name, before] = [fields.name(index), said.get(fields.name(index))];
    said.set(name, before === undefined ? fields.value(index) : `${before}, ${fields.value(index)}`);
  }
  return said;
}
