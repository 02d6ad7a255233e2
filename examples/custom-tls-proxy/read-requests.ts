import { INCOMPLETE, RequestHead, ResponseHead, parseRequestHead, parseResponseHead } from "@pillion/tls-proxy/http1";

/** Both are filled in anew by each call. */
const REQUEST = new RequestHead();
const RESPONSE = new ResponseHead();

/** What a request that was captured asks for, read as strictly as tls-proxy reads it; or why it would be refused. */
export function readRequest(bytes: Buffer): string {
  const refusal = parseRequestHead(REQUEST, bytes, 0, bytes.length);
  if (refusal) return `${refusal.status}: ${refusal.reason}`;
  const { method, target, authority, framing } = REQUEST;
  return `${method} ${target} of ${authority || "nobody"}, body: ${framing}`;
}

/** The same of an app's answer, which may be older than its standards. */
export function readAnswer(bytes: Buffer): string {
  const end = parseResponseHead(RESPONSE, bytes, 0, bytes.length, false);
  if (typeof end === "string") return `502: ${end}`;
  if (end === INCOMPLETE) return "more is needed";
  return `${RESPONSE.status}, body: ${RESPONSE.framing}, behind ${end} octets`;
}
