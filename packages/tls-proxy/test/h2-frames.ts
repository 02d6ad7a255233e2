import { once } from "node:events";
import { type TLSSocket, connect } from "node:tls";
import type { StartedProxy } from "./start-proxy.ts";

export const DATA = 0;
export const HEADERS = 1;
export const PRIORITY = 2;
export const RST_STREAM = 3;
export const SETTINGS = 4;
export const PING = 6;
export const GOAWAY = 7;
export const WINDOW_UPDATE = 8;
export const CONTINUATION = 9;
export const END_STREAM = 1;
export const END_HEADERS = 4;

/** A frame (RFC 9113 §4.1). */
export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

/** A client that sends any frames at all: what Node's own would refuse to. */
export interface FrameClient extends Disposable {
  readonly socket: TLSSocket;
  send(...frames: Buffer[]): void;
  readonly frames: readonly Frame[];
  /** Resolves with the first frame that fits. */
  receives(fits: (frame: Frame) => boolean): Promise<Frame>;
  /** What becomes of a stream: its status, or `reset` and the code. */
  outcome(stream: number): Promise<string>;
  readonly closed: Promise<void>;
}

export function frame(type: number, flags: number, stream: number, payload: Buffer | string = ""): Buffer {
  const bytes = typeof payload === "string" ? Buffer.from(payload, "latin1") : payload;
  const head = Buffer.alloc(9);
  head.writeUIntBE(bytes.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, bytes]);
}

/** Fields as literals that aren't indexed, without Huffman coding (RFC 7541 §6.2.2). @param pairs names and values in turn */
export function block(...pairs: string[]): Buffer {
  const text = (one: string) => Buffer.concat([length(Buffer.byteLength(one, "latin1")), Buffer.from(one, "latin1")]);
  return Buffer.concat(
    pairs.map((one, index) => (index % 2 === 0 ? Buffer.concat([Buffer.of(0), text(one)]) : text(one))),
  );
}

/** An integer with a prefix of seven bits (RFC 7541 §5.1). */
function length(value: number): Buffer {
  if (value < 127) return Buffer.of(value);
  const octets = [127];
  for (let rest = value - 127; ; rest >>= 7) {
    octets.push(rest > 127 ? (rest & 127) | 128 : rest);
    if (rest <= 127) return Buffer.from(octets);
  }
}

export const rstStream = (stream: number, code: number): Buffer => frame(RST_STREAM, 0, stream, uint32(code));

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

export async function connectFrames({ port, ca }: Pick<StartedProxy, "port" | "ca">): Promise<FrameClient> {
  const socket = connect({ port, host: "127.0.0.1", ca, servername: "localhost", ALPNProtocols: ["h2"] });
  const frames: Frame[] = [];
  let buffer: Buffer = Buffer.alloc(0);
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  socket.on("error", () => {}).on("close", () => resolve());
  socket.on("data", (bytes: Buffer) => {
    buffer = Buffer.concat([buffer, bytes]);
    while (buffer.length >= 9 && buffer.length >= 9 + buffer.readUIntBE(0, 3)) {
      const end = 9 + buffer.readUIntBE(0, 3);
      frames.push({
        type: buffer[3] ?? 0,
        flags: buffer[4] ?? 0,
        stream: buffer.readUInt32BE(5) & 0x7fff_ffff,
        payload: buffer.subarray(9, end),
      });
      buffer = buffer.subarray(end);
    }
    socket.emit("frames");
  });
  await once(socket, "secureConnect");
  socket.write(Buffer.concat([Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), frame(SETTINGS, 0, 0)]));
  const receives = async (fits: (one: Frame) => boolean) => {
    for (;;) {
      const found = frames.find(fits);
      if (found) return found;
      if (socket.destroyed) throw new Error(`closed before it; frames: ${frames.map(({ type }) => type).join(" ")}`);
      await Promise.race([once(socket, "frames"), closed]);
    }
  };
  return {
    socket,
    frames,
    closed,
    receives,
    send: (...more) => void socket.write(Buffer.concat(more)),
    async outcome(stream) {
      const { type, payload } = await receives(
        (one) => one.type === GOAWAY || (one.stream === stream && (one.type === HEADERS || one.type === RST_STREAM)),
      );
      if (type === GOAWAY) return `goaway ${payload.readUInt32BE(4)}`;
      return type === RST_STREAM ? `reset ${payload.readUInt32BE(0)}` : statusOf(payload);
    },
    [Symbol.dispose]: () => void socket.destroy(),
  };
}

/** Statuses with an index of their own in the static table (RFC 7541 appendix A). */
const INDEXED = ["200", "204", "206", "304", "400", "404", "500"];
/** Huffman codes of the digits (RFC 7541 appendix B). */
const DIGITS = ["00000", "00001", "00010", "011001", "011010", "011011", "011100", "011101", "011110", "011111"];

/** The :status that an answer's fields begin with. */
function statusOf(fields: Buffer): string {
  let position = 0;
  while (((fields[position] ?? 0) & 0xe0) === 0x20) position++; // changes of the table's size
  const first = fields[position] ?? 0;
  if (first & 0x80) return INDEXED[(first & 0x7f) - 8] ?? "?";
  const size = fields[position + 1] ?? 0;
  const value = fields.subarray(position + 2, position + 2 + (size & 0x7f));
  if (!(size & 0x80)) return value.toString("latin1");
  let bits = [...value].map((octet) => octet.toString(2).padStart(8, "0")).join("");
  let status = "";
  while (status.length < 3) {
    const digit = DIGITS.findIndex((code) => bits.startsWith(code));
    if (digit < 0) return "?";
    status += digit;
    bits = bits.slice(DIGITS[digit]?.length);
  }
  return status;
}
