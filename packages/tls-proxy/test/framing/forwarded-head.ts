import type { EngineName } from "../start-proxy.ts";

/** What of a request's head the app must see. */
export interface Forwarded {
  /** The request line, without its line end. */
  readonly line: string;
  /** The client's lines that stay, with their line ends; `Host` among them. */
  readonly lines: string;
  /** What the request is for; empty where it doesn't say. */
  readonly host?: string;
  readonly chunked?: boolean;
  /** The value of Upgrade, where it goes on. */
  readonly upgrade?: string;
}

/** The head that the app must see, byte for byte. */
export function forwardedHead(engine: EngineName, forwarded: Forwarded): string {
  const { line, lines, host = "app", chunked = false, upgrade } = forwarded;
  const port = /:(\d+)$/.exec(host)?.[1] ?? "443";
  const ours = [
    "X-Forwarded-For: 127.0.0.1",
    "X-Forwarded-Proto: https",
    ...(host === "" ? [] : [`X-Forwarded-Host: ${host}`]),
    `X-Forwarded-Port: ${port}`,
    `Forwarded: for=127.0.0.1${host && `;host="${host}"`};proto=https`,
    ...(chunked ? ["Transfer-Encoding: chunked"] : []),
    ...(upgrade === undefined ? [] : ["Connection: Upgrade", `Upgrade: ${upgrade}`]),
    // Node's client says what is HTTP/1.1's default.
    ...(engine === "http-proxy" ? ["Connection: keep-alive"] : []),
  ];
  return `${line}\r\n${lines}${ours.join("\r\n")}\r\n\r\n`;
}
