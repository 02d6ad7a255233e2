import { createHash } from "node:crypto";
import type { Fields } from "../http1/fields.ts";
import type { Expectation } from "./upstream.ts";

/** RFC 6455 §1.3. */
const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/**
 * Judges a 101: the app may switch to nothing but what was asked for (RFC 9110 §7.8), and only a server that has read
 * the WebSocket's handshake knows what to answer to its key (RFC 6455 §4.1).
 * @param valueOf the value of the 101's field of a lower-case name; of several one list
 * @returns as a clause, why no tunnel may begin, if so
 */
export function switchProblem(
  valueOf: (lowerCaseName: string) => string | undefined,
  asked: Omit<Expectation, "isHead">,
): string | undefined {
  if (!asked.wantsUpgrade) return "it switches protocols without being asked to";
  const upgrade = valueOf("upgrade");
  if (upgrade?.toLowerCase() !== "websocket") return "it switches to another protocol than websocket";
  const accept = valueOf("sec-websocket-accept");
  if (accept === undefined) return "it switches protocols without Sec-WebSocket-Accept";
  return accept === webSocketAccept(asked.webSocketKey ?? "")
    ? undefined
    : "its Sec-WebSocket-Accept isn't the right one";
}

/** What a server makes of the key in a handshake (RFC 6455 §4.2.2). */
function webSocketAccept(key: string): string {
  return createHash("sha1").update(key).update(GUID).digest("base64");
}

/** The values of a head's fields. */
export function valuesIn(fields: Fields): (lowerCaseName: string) => string | undefined {
  return (name) => {
    const values = Array.from({ length: fields.count }, (_, index) => index).filter((one) => fields.name(one) === name);
    return values.length === 0 ? undefined : values.map((index) => fields.value(index)).join(", ");
  };
}
