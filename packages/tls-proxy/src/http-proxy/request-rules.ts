import type { IncomingMessage } from "node:http";
import { FieldKind, fieldKindOf } from "../http1/field-kind.ts";
import type { Refusal } from "../http1/refusal.ts";
import { RequestHead, parseRequestHead } from "../http1/request-head.ts";
import { connectionOptions, fieldValues } from "./hop-by-hop.ts";

const MAX_TARGET_BYTES = 16 * 1024;
const MAX_FIELDS = 100;

/**
 * The rules on top of Node's own parser, which refuses malformed heads, a missing Host, and Content-Length beside
 * Transfer-Encoding. What an app could read in another way than this proxy is refused, never repaired (RFC 9112 §11.2).
 */
export function refusalOf(
  request: Pick<IncomingMessage, "method" | "url" | "rawHeaders" | "httpVersion">,
): Refusal | undefined {
  const { rawHeaders: fields, url: target = "", method = "" } = request;
  if (!["1.0", "1.1"].includes(request.httpVersion))
    return { status: 505, reason: "only HTTP/1.0 and HTTP/1.1 are served" };
  if (method === "CONNECT" || method === "TRACE") return { status: 501, reason: `${method} is not served` };
  if (target.length > MAX_TARGET_BYTES)
    return { status: 414, reason: `the request target is longer than ${MAX_TARGET_BYTES} bytes` };
  if (fields.length / 2 > MAX_FIELDS) return { status: 431, reason: `there are more than ${MAX_FIELDS} header fields` };
  const reason =
    disguisedFraming(fields) ??
    malformedTarget(target, method) ??
    malformedHost(fields, request.httpVersion) ??
    ambiguousFraming(fields, request.httpVersion);
  if (reason !== undefined) return { status: 400, reason };
  // RFC 9110 §10.1.1; HTTP/1.0 knows none: it is ignored.
  const expectations = request.httpVersion === "1.0" ? [] : fieldValues(fields, "expect");
  return expectations.every((one) => one.toLowerCase() === "100-continue")
    ? undefined
    : { status: 417, reason: "the only expectation served is 100-continue" };
}

/** The forms of RFC 9112 §3.2 that fit here: origin-form, absolute-form, and `*` for OPTIONS. */
function malformedTarget(target: string, method: string): string | undefined {
  if (/[^\x21-\x7e]|#/.test(target)) return "the request target holds a character that must be percent-encoded";
  if (target.startsWith("/")) return undefined;
  const [, authority] = /^https?:\/\/([^/?#@]+)(?:[/?]|$)/i.exec(target) ?? [];
  if (authority !== undefined) return isHost(authority) ? undefined : "the host in the request target is malformed";
  return target === "*" && method === "OPTIONS"
    ? undefined
    : "the request target is neither a path nor an absolute URL";
}

/** RFC 9112 §3.2: exactly one Host; RFC 3986 §3.2.2 for what may stand in it. */
function malformedHost(fields: readonly string[], version: string): string | undefined {
  const hosts = fieldValues(fields, "host");
  if (hosts.length > 1) return "there is more than one Host field";
  if (hosts[0] === undefined) return version === "1.0" ? undefined : "there is no Host field";
  return isHost(hosts[0]) ? undefined : "the Host field is malformed";
}

/** Used within one call only. */
const HEAD = new RequestHead();

/** Read by the relay's own parser, as the one field of a request: both engines shall refuse the same hosts. */
function isHost(text: string): boolean {
  const head = Buffer.from(`GET / HTTP/1.1\r\nHost: ${text}\r\n\r\n`, "latin1");
  return parseRequestHead(HEAD, head, 0, head.length) === undefined;
}

function ambiguousFraming(fields: readonly string[], version: string): string | undefined {
  const encodings = fieldValues(fields, "transfer-encoding");
  if (encodings.length > 0 && version === "1.0") return "HTTP/1.0 has no Transfer-Encoding";
  if (encodings.length > 1 || (encodings[0] ?? "chunked").toLowerCase() !== "chunked")
    return "the only Transfer-Encoding served is chunked";
  if (encodings.length > 0 && fieldValues(fields, "content-length").length > 0)
    return "there is Content-Length beside Transfer-Encoding";
  if (!Number.isSafeInteger(Number(fieldValues(fields, "content-length")[0] ?? 0)))
    return "Content-Length is not a number of octets";
  const listed = connectionOptions(fields)
    .map((option) => option.replaceAll("_", "-"))
    .find((option) => ["host", "content-length", "transfer-encoding"].includes(option));
  return listed === undefined ? undefined : `Connection may not list ${listed}`;
}

/** To an app that takes `_` for `-`, as CGI and WSGI do. */
function disguisedFraming(fields: readonly string[]): string | undefined {
  const isDisguised = fields.some((name, index) => index % 2 === 0 && fieldKindOf(name) === FieldKind.disguised);
  return isDisguised ? "a field reads as Content-Length or Transfer-Encoding to some apps, and isn't" : undefined;
}
