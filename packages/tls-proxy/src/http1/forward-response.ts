// Hot path: lines that stay are copied in runs, as they came, unless the app wrote what has to be mended.
import type { AnswerRules } from "../answers/answer-rules.ts";
import { httpDate } from "../answers/http-date.ts";
import { FieldKind } from "./field-kind.ts";
import type { Fields } from "./fields.ts";
import { copyLines } from "./forward-request.ts";
import type { Outgoing } from "./outgoing.ts";
import { copyOf } from "./repeated-fields.ts";
import type { ResponseHead } from "./response-head.ts";

export interface AnswerConnection {
  /** Whether the body goes on in chunks. */
  readonly chunked: boolean;
  /** Whether the connection ends with this answer. */
  readonly close: boolean;
  /** What the request was for. */
  readonly host: string;
  readonly rules: AnswerRules;
}

/** Writes the head that the client gets: HTTP/1.1, end-to-end fields as they came, and our own framing. */
export function forwardResponseHead(head: ResponseHead, connection: AnswerConnection, out: Outgoing): void {
  const { rules } = connection;
  if (!head.isKept || connection.chunked || connection.close) return writeHead(head, connection, out);
  if (head.sent === undefined || head.sentBy !== rules) {
    const start = out.length;
    writeHead(head, connection, out);
    if (mayBeRewritten(head)) return; // by rules that may depend on the request
    if (lacksDate(head)) return; // ours is of this second
    head.sent = copyOf(out.peek().subarray(start));
    head.sentBy = rules;
  } else out.copy(head.sent, 0, head.sent.length);
}

function writeHead(head: ResponseHead, connection: AnswerConnection, out: Outgoing): void {
  const { fields } = head;
  const { rules } = connection;
  if (
    fields.clean &&
    head.minorVersion === 1 &&
    !fields.repeats(FieldKind.contentLength) &&
    !needsRewriting(head, rules)
  ) {
    copyLines(fields, out, head.start, head.fieldsStart, droppedFromResponse(head, connection.chunked), head.listed);
  } else {
    out.text(`HTTP/1.1 ${head.status} `);
    out.copy(head.bytes, head.reasonStart, head.reasonEnd);
    out.lineEnd();
    writeLines(head, connection, out);
  }
  if (!head.isInformational)
    for (const { name, lowerCaseName, value } of rules.additions)
      if (!has(fields, lowerCaseName)) out.text(`${name}: ${value}\r\n`);
  if (lacksDate(head)) out.text(`Date: ${httpDate()}\r\n`);
  if (head.status === 101) out.text(`Connection: Upgrade\r\nUpgrade: ${upgradeOf(head)}\r\n`);
  else if (connection.close && !head.isInformational) out.text("Connection: close\r\n");
  if (connection.chunked) out.text("Transfer-Encoding: chunked\r\n");
  out.lineEnd();
}

/** RFC 9110 §6.6.1: whoever passes an answer on says when it came, if the app didn't. */
function lacksDate({ fields, listed, status }: ResponseHead): boolean {
  return status >= 200 && (!fields.has(FieldKind.date) || listed?.includes("date") === true);
}

/** The lines that stay one by one: line ends and white space mended, values rewritten, of equal lengths one. */
function writeLines(head: ResponseHead, { chunked, host, rules }: AnswerConnection, out: Outgoing): void {
  const { fields, listed } = head;
  const dropped = droppedFromResponse(head, chunked);
  for (let index = 0; index < fields.count; index++) {
    if (!stays(fields, index, dropped, listed)) continue;
    out.copy(head.bytes, fields.lineStart[index] ?? 0, fields.nameEnd[index] ?? 0);
    out.text(`: ${valueByRules(fields, index, host, rules)}\r\n`);
  }
}

/** Whether a line goes on: of equal lengths one. */
function stays(fields: Fields, index: number, dropped: number, listed: readonly string[] | undefined): boolean {
  const kind = (fields.kind[index] ?? 0) as FieldKind;
  if ((dropped & (1 << kind)) !== 0 || listed?.includes(fields.name(index))) return false;
  return kind !== FieldKind.contentLength || fields.find(kind) === index;
}

function valueByRules(fields: Fields, index: number, host: string, rules: AnswerRules): string {
  const value = fields.value(index);
  const rewrite = mayNeedRewriting(fields, index) ? rules.rewrites(fields.name(index)) : undefined;
  return rewrite?.(value, host) ?? value;
}

/** The same fields as a list for other framings than HTTP/1.1's: names in lower case and values in turn. Node adds Date. */
export function answerFields(head: ResponseHead, { host, rules }: Pick<AnswerConnection, "host" | "rules">): string[] {
  const { fields, framing, listed } = head;
  const list: string[] = [];
  const dropped = droppedFromResponse(head, framing === "chunked");
  for (let index = 0; index < fields.count; index++)
    if (stays(fields, index, dropped, listed)) list.push(fields.name(index), valueByRules(fields, index, host, rules));
  if (!head.isInformational)
    for (const { lowerCaseName, value } of rules.additions)
      if (!has(fields, lowerCaseName)) list.push(lowerCaseName, value);
  return list;
}

/** Kinds of fields whose values an answer rule may change, as bits. */
const MAY_NEED_REWRITING = (1 << FieldKind.setCookie) | (1 << FieldKind.location);

function mayNeedRewriting({ kind }: Fields, index: number): boolean {
  return (MAY_NEED_REWRITING & (1 << (kind[index] ?? 0))) !== 0;
}

function mayBeRewritten({ fields }: Pick<ResponseHead, "fields">): boolean {
  return (fields.seen & MAY_NEED_REWRITING) !== 0;
}

function needsRewriting({ fields }: ResponseHead, rules: AnswerRules): boolean {
  if (!mayBeRewritten({ fields })) return false;
  for (let index = 0; index < fields.count; index++)
    if (mayNeedRewriting(fields, index) && rules.rewrites(fields.name(index)) !== undefined) return true;
  return false;
}

function has(fields: Fields, lowerCaseName: string): boolean {
  for (let index = 0; index < fields.count; index++) if (fields.name(index) === lowerCaseName) return true;
  return false;
}

const NEVER =
  (1 << FieldKind.connection) |
  (1 << FieldKind.hopByHop) |
  (1 << FieldKind.upgrade) |
  (1 << FieldKind.transferEncoding);

function droppedFromResponse({ status }: ResponseHead, chunked: boolean): number {
  let dropped = NEVER;
  // RFC 9110 §8.6: no length with 1xx and 204.
  if (status < 200 || status === 204) dropped |= 1 << FieldKind.contentLength;
  if (!chunked) dropped |= 1 << FieldKind.trailer;
  return dropped;
}

function upgradeOf({ fields }: ResponseHead): string {
  const index = fields.find(FieldKind.upgrade);
  return index < 0 ? "" : fields.value(index);
}
