import { randomBytes } from "node:crypto";

/**
 * The half of a WebSocket's handshake that HTTP/2 has no use for (RFC 8441 §5): the proxy plays the client's part, so
 * that the app's 101 can be checked as one to a client of HTTP/1.1.
 */
export class WebSocketKey {
  readonly text = randomBytes(16).toString("base64");

  /** The lines that a request's head lacks. */
  get lines(): string {
    return `connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-key: ${this.text}\r\n\r\n`;
  }
}
