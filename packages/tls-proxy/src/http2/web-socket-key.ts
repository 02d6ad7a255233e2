import { createHash, randomBytes } from "node:crypto";
import type { ResponseHead } from "../http1/response-head.ts";

/** RFC 6455 §1.3. */
const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/**
 * The half of a WebSocket's handshake that HTTP/2 has no use for (RFC 8441 §5): the proxy plays the client's part, and
 * checks that it is a WebSocket that answers.
 */
export class WebSocketKey {
  readonly #key = randomBytes(16).toString("base64");

  /** The lines that a request's head lacks. */
  get lines(): string {
    return `connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-key: ${this.#key}\r\n\r\n`;
  }

  /** Whether a 101 is the answer of a WebSocket server. */
  isAcceptedBy({ fields }: ResponseHead): boolean {
    const accept = createHash("sha1").update(this.#key).update(GUID).digest("base64");
    for (let index = 0; index < fields.count; index++)
      if (fields.name(index) === "sec-websocket-accept") return fields.value(index) === accept;
    return false;
  }
}
