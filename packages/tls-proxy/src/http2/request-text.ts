// Hot path: one pass over the fields, one string.
import { type Refusal, badRequest } from "../http1/refusal.ts";

/** A stream's request as the head of an HTTP/1.1 one (latin1), for the same strict reading as those get. */
export interface RequestText {
  readonly text: string;
  /** Whether it is the handshake of a WebSocket (RFC 8441); then `text` still lacks its key. */
  readonly isWebSocket: boolean;
  /** A key that the client sent, though HTTP/2 uses none. */
  readonly webSocketKey?: string | undefined;
}

/** What was found in a stream's fields. */
interface Found {
  method?: string;
  path?: string;
  scheme?: string;
  authority?: string;
  protocol?: string;
  host?: string;
  cookie?: string;
  webSocketKey?: string;
  hasLength: boolean;
  /** Field lines that stay as they are. */
  lines: string;
}

/**
 * Writes a request's head in HTTP/1.1, or says why it is malformed (RFC 9113 §8.1.1). Much of it nghttp2 has refused
 * before; what stands in a value and could become a line of its own is what nobody else may be trusted with.
 * @param raw names and values in turn, as they came
 * @param hasBody the stream goes on behind its head
 */
export function requestText(raw: readonly string[], hasBody: boolean): RequestText | Refusal {
  const found: Found = { hasLength: false, lines: "" };
  for (let index = 0; index < raw.length; index += 2) {
    const [name = "", value = ""] = [raw[index], raw[index + 1]];
    const wrong =
      malformedValue(value) ?? (name.startsWith(":") ? pseudo(found, name, value) : field(found, name, value));
    if (wrong !== undefined) return badRequest(wrong);
  }
  return judge(found, hasBody) ?? write(found, hasBody);
}

const NOT_IN_VALUES = /[^\t -~\u0080-\u00ff]/;

/** RFC 9113 §8.2.1; other control characters too, as in HTTP/1.1. */
function malformedValue(value: string): string | undefined {
  if (NOT_IN_VALUES.test(value)) return "a field value holds a control character";
  return isBlank(value.charCodeAt(0)) || isBlank(value.charCodeAt(value.length - 1))
    ? "a field value begins or ends with white space"
    : undefined;
}

const isBlank = (octet: number): boolean => octet === 0x20 || octet === 0x09;

const PSEUDO = new Map([
  [":method", "method"],
  [":path", "path"],
  [":scheme", "scheme"],
  [":authority", "authority"],
  [":protocol", "protocol"],
] as const);

/** RFC 9113 §8.3: each once, none unknown, before all fields. */
function pseudo(found: Found, name: string, value: string): string | undefined {
  const key = PSEUDO.get(name as ":method");
  if (key === undefined) return "there is an unknown pseudo-header field";
  if (found[key] !== undefined) return `there is more than one ${name}`;
  if (found.lines !== "" || found.cookie !== undefined || found.host !== undefined)
    return "a pseudo-header field stands behind other fields";
  if (value === "" || value.includes(" ")) return `${name} is empty or holds a space`;
  found[key] = value;
  return undefined;
}

/** RFC 9113 §8.2.2: what concerns one connection has no place here. */
const OF_CONNECTION = new Set(["connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"]);
const NAME = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;

function field(found: Found, name: string, value: string): string | undefined {
  if (!NAME.test(name)) return "a field name holds a character that is not allowed";
  if (OF_CONNECTION.has(name)) return `HTTP/2 has no ${name}`;
  if (name === "cookie") {
    // RFC 9113 §8.2.3: they may come in pieces; HTTP/1.1 has one.
    found.cookie = found.cookie === undefined ? value : `${found.cookie}; ${value}`;
    return undefined;
  }
  if (name === "host") {
    if (found.host !== undefined) return "there is more than one Host field";
    found.host = value;
    return undefined;
  }
  if (name === "te" && value.toLowerCase() !== "trailers") return "te may only be trailers";
  if (name === "content-length") found.hasLength = true;
  if (name === "sec-websocket-key" && found.protocol !== undefined) {
    found.webSocketKey = value;
    return undefined;
  }
  found.lines += `${name}: ${value}\r\n`;
  return undefined;
}

function judge(found: Found, hasBody: boolean): Refusal | undefined {
  const { method, path, scheme, authority, protocol, host } = found;
  if (method === undefined) return badRequest("there is no :method");
  if (method === "CONNECT" && protocol === undefined) return { status: 501, reason: "CONNECT is not served" };
  if (path === undefined || scheme === undefined) return badRequest("there is no :path or no :scheme");
  if (authority !== undefined && host !== undefined && authority.toLowerCase() !== host.toLowerCase())
    return badRequest("Host is not what :authority says");
  if (!path.startsWith("/") && !(path === "*" && method === "OPTIONS")) return badRequest(":path doesn't begin with /");
  if (!/^https?$/i.test(scheme)) return badRequest(":scheme is neither https nor http");
  if (protocol === undefined) return undefined;
  if (method !== "CONNECT") return badRequest(":protocol is only for CONNECT");
  if (protocol !== "websocket") return { status: 501, reason: "the only :protocol served is websocket" };
  return found.hasLength || !hasBody ? badRequest("a tunnel has neither a length nor an end") : undefined;
}

function write(found: Found, hasBody: boolean): RequestText {
  const { path, lines, hasLength, cookie } = found;
  const isWebSocket = found.protocol !== undefined;
  const host = found.authority ?? found.host;
  let text = `${isWebSocket ? "GET" : found.method} ${path} HTTP/1.1\r\n`;
  if (host !== undefined) text += `host: ${host}\r\n`;
  text += lines;
  if (cookie !== undefined) text += `cookie: ${cookie}\r\n`;
  if (isWebSocket) return { text, isWebSocket, webSocketKey: found.webSocketKey };
  if (hasBody && !hasLength) text += "transfer-encoding: chunked\r\n";
  return { text: `${text}\r\n`, isWebSocket };
}
