import type { Socket } from "node:net";
import { type RawApp, startRawApp } from "../raw-app.ts";

/** What somebody took a request for. Text is latin1, an octet a character. */
export interface Reading {
  readonly method: string;
  readonly target: string;
  readonly body: string;
  /** The value of the field `X-Odd`; empty if there is none. */
  readonly odd: string;
}

export interface Recorder extends AsyncDisposable {
  readonly port: number;
  /** Connections to it. */
  readonly open: number;
  /** The whole requests that came since it was asked last, in order. */
  take(): Reading[];
}

/**
 * An app that answers 200 to every whole request and writes down what it was. Understands what nginx and haproxy send.
 * @param bodyFor what it answers with
 */
export async function startRecorder(bodyFor: (reading: Reading) => string = () => ""): Promise<Recorder> {
  let readings: Reading[] = [];
  const used = new WeakMap<Socket, number>();
  const app: RawApp = await startRawApp((socket, received) => {
    for (;;) {
      const start = used.get(socket) ?? 0;
      const request = readRequest(received, start);
      if (request === undefined) return;
      used.set(socket, request.end);
      readings.push(request.reading);
      const body = bodyFor(request.reading);
      const content = request.reading.method === "HEAD" ? "" : body;
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${content}`, "latin1");
    }
  });
  return {
    port: app.port,
    get open() {
      return app.open.size;
    },
    take() {
      const taken = readings;
      readings = [];
      return taken;
    },
    [Symbol.asyncDispose]: () => app[Symbol.asyncDispose](),
  };
}

interface Request {
  readonly reading: Reading;
  readonly end: number;
}

function readRequest(text: string, start: number): Request | undefined {
  const headEnd = text.indexOf("\r\n\r\n", start);
  if (headEnd < 0) return undefined;
  const [line = "", ...lines] = text.slice(start, headEnd).split("\r\n");
  const fields = new Map(lines.map((one) => fieldOf(one)));
  const [method = "", target = ""] = line.split(" ");
  const body = fields.has("transfer-encoding")
    ? readChunks(text, headEnd + 4)
    : readLength(text, headEnd + 4, Number(fields.get("content-length") ?? 0));
  if (body === undefined) return undefined;
  return { reading: { method, target, body: body.text, odd: fields.get("x-odd") ?? "" }, end: body.end };
}

function fieldOf(line: string): [name: string, value: string] {
  const colon = line.indexOf(":");
  return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).replaceAll(/^[ \t]+|[ \t]+$/g, "")];
}

interface Body {
  readonly text: string;
  readonly end: number;
}

function readLength(text: string, start: number, length: number): Body | undefined {
  const end = start + length;
  return text.length < end ? undefined : { text: text.slice(start, end), end };
}

function readChunks(text: string, start: number): Body | undefined {
  let body = "";
  for (let position = start; ;) {
    const lineEnd = text.indexOf("\r\n", position);
    if (lineEnd < 0) return undefined;
    const size = Number.parseInt(text.slice(position, lineEnd), 16);
    if (size === 0) return readTrailers(text, lineEnd + 2, body);
    const end = lineEnd + 2 + size;
    if (text.length < end + 2) return undefined;
    body += text.slice(lineEnd + 2, end);
    position = end + 2;
  }
}

function readTrailers(text: string, start: number, body: string): Body | undefined {
  for (let position = start; ;) {
    const end = text.indexOf("\r\n", position);
    if (end < 0) return undefined;
    if (end === position) return { text: body, end: end + 2 };
    position = end + 2;
  }
}
