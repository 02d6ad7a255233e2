import { randomBytes } from "node:crypto";

/** RFC 6455 §4.1: 16 octets in base64. */
const KEY = /^[A-Za-z0-9+/]{22}==$/;

/**
 * The half of a WebSocket's handshake that HTTP/2 has no use for (RFC 8441 §5): the proxy plays the client's part, so
 * that the app's 101 can be checked as one to a client of HTTP/1.1. A client that sends a key all the same, as undici does,
 * wants to see it answered.
 */
export class WebSocketKey {
  readonly text: string;
  /** Whether the client waits for the answer to it. */
  readonly isClients: boolean;

  /** @param sent what the client sent in its place */
  constructor(sent: string | undefined) {
    const own = sent !== undefined && KEY.test(sent) ? sent : undefined;
    this.isClients = own !== undefined;
    this.text = own ?? randomBytes(16).toString("base64");
  }

  /** The lines that a request's head lacks. */
  get lines(): string {
    return `connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-key: ${this.text}\r\n\r\n`;
  }
}
