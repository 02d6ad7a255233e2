// Hot path: lines that stay are copied in runs, as they came, unless the app wrote what has to be mended.
import type { AnswerRules } from "../answers/answer-rules.ts";
import { FieldKind } from "./field-kind.ts";
import type { Fields } from "./fields.ts";
import { copyLines } from "./forward-request.ts";
import type { Outgoing } from "./outgoing.ts";
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
  const { fields } = head;
  const { rules } = connection;
  if (fields.clean && head.minorVersion === 1 && !needsRewriting(head, rules)) {
    const stays = (index: number) => staysInResponse(head, index, connection.chunked);
    copyLines(fields, out, head.start, head.fieldsStart, stays);
  } else {
    out.text(`HTTP/1.1 ${head.status} `);
    out.copy(head.bytes, head.reasonStart, head.reasonEnd);
    out.text("\r\n");
    writeLines(head, connection, out);
  }
  if (!head.isInformational)
    for (const { name, lowerCaseName, value } of rules.additions)
      if (!has(fields, lowerCaseName)) out.text(`${name}: ${value}\r\n`);
  if (head.status === 101) out.text(`Connection: Upgrade\r\nUpgrade: ${upgradeOf(head)}\r\n`);
  else if (connection.close && !head.isInformational) out.text("Connection: close\r\n");
  out.text(connection.chunked ? "Transfer-Encoding: chunked\r\n\r\n" : "\r\n");
}

/** Field lines from what `stays`, one by one: line ends and white space mended, values rewritten. */
function writeLines(head: ResponseHead, { chunked, host, rules }: AnswerConnection, out: Outgoing): void {
  const { fields } = head;
  for (let index = 0; index < fields.count; index++) {
    if (!staysInResponse(head, index, chunked)) continue;
    out.copy(head.bytes, fields.lineStart[index] ?? 0, fields.nameEnd[index] ?? 0);
    out.text(`: ${valueByRules(fields, index, host, rules)}\r\n`);
  }
}

function valueByRules(fields: Fields, index: number, host: string, rules: AnswerRules): string {
  const value = fields.value(index);
  const rewrite = mayNeedRewriting(fields.kind[index]) ? rules.rewrites(fields.name(index)) : undefined;
  return rewrite?.(value, host) ?? value;
}

/** The same fields as a list for other framings than HTTP/1.1's: names in lower case and values in turn. */
export function answerFields(head: ResponseHead, { host, rules }: Pick<AnswerConnection, "host" | "rules">): string[] {
  const { fields, framing } = head;
  const list: string[] = [];
  for (let index = 0; index < fields.count; index++)
    if (staysInResponse(head, index, framing === "chunked"))
      list.push(fields.name(index), valueByRules(fields, index, host, rules));
  if (!head.isInformational)
    for (const { lowerCaseName, value } of rules.additions)
      if (!has(fields, lowerCaseName)) list.push(lowerCaseName, value);
  return list;
}

function needsRewriting({ fields }: ResponseHead, rules: AnswerRules): boolean {
  for (let index = 0; index < fields.count; index++)
    if (mayNeedRewriting(fields.kind[index]) && rules.rewrites(fields.name(index)) !== undefined) return true;
  return false;
}

function mayNeedRewriting(kind: number | undefined): boolean {
  return kind === FieldKind.setCookie || kind === FieldKind.location;
}

function has(fields: Fields, lowerCaseName: string): boolean {
  for (let index = 0; index < fields.count; index++) if (fields.name(index) === lowerCaseName) return true;
  return false;
}

function staysInResponse(head: ResponseHead, index: number, chunked: boolean): boolean {
  const { fields } = head;
  switch (fields.kind[index]) {
    case FieldKind.connection:
    case FieldKind.hopByHop:
    case FieldKind.upgrade:
    case FieldKind.transferEncoding:
      return false;
    case FieldKind.contentLength:
      // RFC 9110 §8.6: none with 1xx and 204. Of two equal ones, one.
      return head.status >= 200 && head.status !== 204 && fields.find(FieldKind.contentLength) === index;
    case FieldKind.trailer:
      return chunked;
    default:
      return head.listed === undefined || !head.listed.includes(fields.name(index));
  }
}

function upgradeOf({ fields }: ResponseHead): string {
  const index = fields.find(FieldKind.upgrade);
  return index < 0 ? "" : fields.value(index);
}
