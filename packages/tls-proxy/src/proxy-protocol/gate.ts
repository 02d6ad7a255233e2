import { type Server, type ServerOpts, type Socket, createServer } from "node:net";
import type { ProxyHeader } from "./header.ts";
import { readProxyHeader } from "./read-header.ts";

export interface GateOptions {
  /** From these peers, and no others, the header is required. */
  readonly requiredFrom: (address: string | undefined) => boolean;
  /** How long the header may take, milliseconds. */
  readonly timeout: number;
  /** A connection was aborted for its header, or for the lack of one. */
  readonly onRefused: (peer: string, reason: string) => void;
  /** Gets each connection with the header taken off its bytes; none where none was required. */
  readonly pass: (socket: Socket, header: ProxyHeader | undefined) => void;
}

/** A TCP server that stands in front of TLS and reads the PROXY protocol where it is due. */
export function proxyProtocolGate(options: GateOptions, serverOptions: ServerOpts): Server {
  return createServer(serverOptions, (socket) => {
    if (options.requiredFrom(socket.remoteAddress)) takeHeader(socket, options);
    else options.pass(socket, undefined);
  });
}

function takeHeader(socket: Socket, { timeout, onRefused, pass }: GateOptions): void {
  const peer = socket.remoteAddress ?? "unknown";
  let received = Buffer.alloc(0);
  const listeners = {
    readable() {
      for (let bytes = socket.read(); bytes instanceof Buffer; bytes = socket.read()) {
        received = received.length === 0 ? bytes : Buffer.concat([received, bytes]);
        const reading = readProxyHeader(received);
        if (reading.state === "malformed") return refuse(reading.reason);
        if (reading.state === "incomplete") continue;
        stopListening();
        const { length } = reading;
        if (length < received.length) socket.unshift(received.subarray(length));
        return pass(socket, reading);
      }
    },
    end: () => refuse("it ended before the header did"),
    close: () => stopListening(),
    error: () => {}, // 'close' follows
  };
  const timer = setTimeout(() => refuse(`the header took longer than ${timeout} ms`), timeout);
  const stopListening = () => {
    clearTimeout(timer);
    for (const [event, listener] of Object.entries(listeners)) socket.off(event, listener);
  };
  const refuse = (reason: string) => {
    socket.resetAndDestroy();
    onRefused(peer, reason);
  };
  for (const [event, listener] of Object.entries(listeners)) socket.on(event, listener);
}
