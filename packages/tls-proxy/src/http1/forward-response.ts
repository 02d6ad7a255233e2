// Hot path: lines that stay are copied in runs, as they came, unless the app wrote what has to be mended.
import { FieldKind } from "./field-kind.ts";
import { copyLines } from "./forward-request.ts";
import type { Outgoing } from "./outgoing.ts";
import type { ResponseHead } from "./response-head.ts";

/** What is put right in every answer besides its framing. */
export interface AnswerRules {
  /** The new value of a field of this kind, for requests to `host`; nothing when values of this kind stay. */
  rewrites(kind: FieldKind): ((value: string, host: string) => string) | undefined;
  /** The value of Strict-Transport-Security for answers that have none of their own. */
  readonly strictTransportSecurity?: string | undefined;
}

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
  if (rules.strictTransportSecurity !== undefined && fields.find(FieldKind.strictTransportSecurity) < 0)
    out.text(`Strict-Transport-Security: ${rules.strictTransportSecurity}\r\n`);
  if (head.status === 101) out.text(`Connection: Upgrade\r\nUpgrade: ${upgradeOf(head)}\r\n`);
  else if (connection.close && !head.isInformational) out.text("Connection: close\r\n");
  out.text(connection.chunked ? "Transfer-Encoding: chunked\r\n\r\n" : "\r\n");
}

/** Field lines from what `stays`, one by one: line ends and white space mended, values rewritten. */
function writeLines(head: ResponseHead, { chunked, host, rules }: AnswerConnection, out: Outgoing): void {
  const { fields } = head;
  for (let index = 0; index < fields.count; index++) {
    if (!staysInResponse(head, index, chunked)) continue;
    const value = fields.value(index);
    const rewrite = rules.rewrites((fields.kind[index] ?? 0) as FieldKind);
    out.copy(head.bytes, fields.lineStart[index] ?? 0, fields.nameEnd[index] ?? 0);
    out.text(`: ${rewrite?.(value, host) ?? value}\r\n`);
  }
}

function needsRewriting({ fields }: ResponseHead, rules: AnswerRules): boolean {
  for (let index = 0; index < fields.count; index++) {
    const kind = fields.kind[index];
    if (kind === FieldKind.setCookie || kind === FieldKind.location)
      if (rules.rewrites(kind) !== undefined) return true;
  }
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
