// Hot path: lines that stay are copied in runs, as they came.
import { FieldKind } from "./field-kind.ts";
import type { Fields } from "./fields.ts";
import type { Origin } from "./origin.ts";
import type { Outgoing } from "./outgoing.ts";
import type { RepeatedFields } from "./repeated-fields.ts";
import type { RequestHead } from "./request-head.ts";

/**
 * Writes the head that the app gets: the target in origin-form byte for byte, end-to-end fields as they came, none of
 * one connection's own (RFC 9110 §7.6.1), and the origin as the proxy saw it.
 * @param defaultHost the Host for HTTP/1.0 clients that send none
 */
export function forwardRequestHead(head: RequestHead, origin: Origin, defaultHost: string, out: Outgoing): void {
  const { bytes, fields } = head;
  const hostGiven = head.authorityEnd === head.authorityStart && head.host >= 0;
  let copied = head.fieldsStart;
  if (hostGiven && head.minorVersion === 1) copied = head.start;
  else writeRequestLine(head, out);
  if (!hostGiven) out.text(`Host: ${head.authority || defaultHost}\r\n`);
  copyLines(fields, out, copied, head.fieldsStart, droppedFromRequest(head, hostGiven), head.listed);
  if (origin.trusted) out.text(origin.linesBehind(head.authority, saidBefore(fields)));
  else if (hostGiven) out.text(origin.lines(bytes, fields.valueStart[head.host] ?? 0, fields.valueEnd[head.host] ?? 0));
  else out.text(origin.lines(Buffer.from(head.authority, "latin1"), 0, head.authority.length));
  if (head.framing === "chunked") out.text("Transfer-Encoding: chunked\r\n");
  if (head.upgradeField >= 0) out.text(`Connection: Upgrade\r\nUpgrade: ${fields.value(head.upgradeField)}\r\n`);
  out.lineEnd();
}

/** The same for a request whose fields may be those of the one before; what they became is kept for the next one. */
export function forwardRepeated(
  head: RequestHead,
  before: RepeatedFields,
  origin: Origin,
  defaultHost: string,
  out: Outgoing,
): void {
  const start = out.length;
  if (head.repeats) {
    out.copy(head.bytes, head.start, head.fieldsStart);
    return before.forward(out);
  }
  forwardRequestHead(head, origin, defaultHost, out);
  // A request line that is kept as it came has its length here, too.
  before.keep(head, out.peek().subarray(start + head.fieldsStart - head.start));
}

function writeRequestLine(head: RequestHead, out: Outgoing): void {
  const { bytes, pathStart, targetEnd } = head;
  out.copy(bytes, head.start, head.methodEnd + 1);
  // RFC 9112 §3.2.1 and §3.2.4: an empty path is sent as /, and to OPTIONS without a query as *.
  if (pathStart === targetEnd && head.hasMethod("OPTIONS")) out.text("*");
  else if (bytes[pathStart] !== 0x2f && bytes[pathStart] !== 0x2a) out.text("/");
  out.copy(bytes, pathStart, targetEnd);
  out.text(" HTTP/1.1\r\n");
}

/** Kinds of fields, as bits `1 << kind`, that never go on. */
const NEVER =
  (1 << FieldKind.connection) |
  (1 << FieldKind.hopByHop) |
  (1 << FieldKind.upgrade) |
  (1 << FieldKind.transferEncoding) |
  (1 << FieldKind.origin);

function droppedFromRequest(head: RequestHead, hostGiven: boolean): number {
  let dropped = NEVER;
  if (!hostGiven) dropped |= 1 << FieldKind.host;
  if (!head.expectsContinue) dropped |= 1 << FieldKind.expect;
  if (head.framing !== "chunked") dropped |= 1 << FieldKind.trailer;
  return dropped;
}

/**
 * Copies `bytes[from, to)`, which ends where the fields begin, and the lines that stay: as few long runs.
 * @param dropped kinds that don't stay, as bits `1 << kind`
 * @param listed names that don't stay, in lower case
 */
export function copyLines(
  fields: Fields,
  out: Outgoing,
  from: number,
  to: number,
  dropped: number,
  listed?: readonly string[],
): void {
  const { bytes, count, lineStart, lineEnd, kind } = fields;
  if ((fields.seen & dropped) === 0 && listed === undefined) {
    if (count > 0) to = lineEnd[count - 1] ?? to;
    if (to > from) out.copy(bytes, from, to);
    return;
  }
  for (let index = 0; index < count; index++) {
    if ((dropped & (1 << (kind[index] ?? 0))) !== 0 || listed?.includes(fields.name(index))) continue;
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
