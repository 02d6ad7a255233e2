import type { IncomingMessage } from "node:http";
import type { Origin } from "../http1/origin.ts";
import { withForwarded } from "./forwarded.ts";
import { fieldValues, selectFields, withoutHopByHop } from "./hop-by-hop.ts";

/** A request as the app gets it. Every engine sends exactly this. */
export interface UpstreamRequest {
  readonly method: string;
  /** What the request is for: `name` or `name:port`. */
  readonly host: string;
  /** Byte for byte what the client sent, in origin-form (or `*`): nothing decoded, nothing folded. */
  readonly target: string;
  /** Names and values in turn; without `Connection` and `Upgrade`, which belong to the engine's own connection. */
  readonly fields: readonly string[];
  readonly hasBody: boolean;
}

/** Works out what the app gets from a request that `refusalOf` let through. */
export function upstreamRequest(request: IncomingMessage, origin: Origin, defaultHost: string): UpstreamRequest {
  const { method = "GET", rawHeaders } = request;
  const { target, authority } = originForm(request.url ?? "/", method);
  const askedFor = authority ?? fieldValues(rawHeaders, "host")[0] ?? "";
  const host = askedFor || defaultHost;
  const endToEnd = selectFields(
    withoutHopByHop(rawHeaders),
    (name) => name !== "host" && !(name === "expect" && request.httpVersion === "1.0"),
  );
  const framing = bodyFraming(rawHeaders);
  return {
    method,
    host,
    target,
    fields: ["Host", host, ...withForwarded(endToEnd, origin, askedFor), ...framing.fields],
    hasBody: framing.hasBody,
  };
}

/**
 * RFC 9112 §3.2.2: of an absolute-form target the authority wins over Host, and the app gets the rest; nothing becomes
 * `/`, and to OPTIONS `*` (§3.2.4).
 */
export function originForm(target: string, method?: string): { target: string; authority?: string } {
  const [, authority, rest] = /^https?:\/\/([^/?]+)(.*)$/i.exec(target) ?? [];
  if (authority === undefined || rest === undefined) return { target };
  if (rest === "" && method === "OPTIONS") return { authority, target: "*" };
  return { authority, target: rest.startsWith("/") ? rest : `/${rest}` };
}

/**
 * Transfer-Encoding went with the hop-by-hop fields; the body's framing follows from the one the client used. A chunked
 * body stays chunked whatever the method is: http-proxy's own way, `Content-Length: 0` with the body still sent, lets a
 * client smuggle requests (CVE-2026-29057).
 */
function bodyFraming(fields: readonly string[]): { fields: string[]; hasBody: boolean } {
  if (fieldValues(fields, "transfer-encoding").length > 0)
    return { fields: ["Transfer-Encoding", "chunked"], hasBody: true };
  const length = fieldValues(fields, "content-length")[0]; // an end-to-end field: it is passed on already
  return { fields: [], hasBody: length !== undefined && Number(length) > 0 };
}
