/** A request as an app sees it that reads strictly by RFC 9112. */
export interface Message {
  /** Up to and with the empty line. */
  readonly head: string;
  /** Without its framing. */
  readonly body: string;
  /** The trailer section's lines. */
  readonly trailers: string;
}

const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const HEAD = new RegExp(
  `^${TOKEN} [\\x21-\\x7e]+ HTTP/1\\.1\\r\\n(${TOKEN}:[\\t\\x20-\\x7e\\x80-\\xff]*\\r\\n)*\\r\\n$`,
);
const CHUNK_SIZE = /^([0-9A-Fa-f]+)\r\n/;
const TRAILERS = new RegExp(`^(?:${TOKEN}:[\\t\\x20-\\x7e\\x80-\\xff]*\\r\\n)*\\r\\n`);

/** Reads one connection's requests; throws at what the standard doesn't let a proxy send. Bytes are latin1 texts. */
export class MessageReader {
  #rest = "";

  read(bytes: string): Message[] {
    this.#rest += bytes;
    const messages: Message[] = [];
    for (;;) {
      const found = readMessage(this.#rest);
      if (found === undefined) return messages;
      messages.push(found.message);
      this.#rest = this.#rest.slice(found.length);
    }
  }
}

interface Found {
  readonly message: Message;
  readonly length: number;
}

function readMessage(bytes: string): Found | undefined {
  const headEnd = bytes.indexOf("\r\n\r\n") + 4;
  if (headEnd < 4) return undefined;
  const head = bytes.slice(0, headEnd);
  if (!HEAD.test(head)) throw new Error(`not a request's head: ${JSON.stringify(head)}`);
  const lengths = valuesOf(head, "content-length");
  const encodings = valuesOf(head, "transfer-encoding");
  if (valuesOf(head, "host").length !== 1) throw new Error(`not one Host: ${JSON.stringify(head)}`);
  if (lengths.length + encodings.length > 1) throw new Error(`framed twice: ${JSON.stringify(head)}`);
  if (encodings.length > 0 && encodings[0] !== "chunked") throw new Error(`unknown framing: ${JSON.stringify(head)}`);
  if (encodings.length > 0) return readChunks(head, bytes);
  const [length = "0"] = lengths;
  if (!/^\d+$/.test(length)) throw new Error(`not a length: ${length}`);
  const end = headEnd + Number(length);
  if (bytes.length < end) return undefined;
  return { message: { head, body: bytes.slice(headEnd, end), trailers: "" }, length: end };
}

function readChunks(head: string, bytes: string): Found | undefined {
  let body = "";
  let position = head.length;
  for (;;) {
    const line = bytes.slice(position, position + 20);
    const [sizeLine, digits] = CHUNK_SIZE.exec(line) ?? [];
    if (sizeLine === undefined || digits === undefined) {
      if (line.includes("\n") || line.length === 20) throw new Error(`not a chunk's size: ${JSON.stringify(line)}`);
      return undefined;
    }
    position += sizeLine.length;
    const size = Number.parseInt(digits, 16);
    if (size === 0) break;
    const data = bytes.slice(position, position + size + 2);
    if (data.length < size + 2) return undefined;
    if (!data.endsWith("\r\n")) throw new Error(`a chunk without an end: ${JSON.stringify(data)}`);
    body += data.slice(0, -2);
    position += size + 2;
  }
  const [section] = TRAILERS.exec(bytes.slice(position)) ?? [];
  if (section === undefined) return undefined;
  return { message: { head, body, trailers: section.slice(0, -2) }, length: position + section.length };
}

/** As CGI and WSGI name fields: `_` is `-`, whatever the case. */
function valuesOf(head: string, name: string): string[] {
  const lines = head.split("\r\n").slice(1);
  const found = lines.filter((line) => line.slice(0, line.indexOf(":")).toLowerCase().replaceAll("_", "-") === name);
  return found.map((line) => line.slice(line.indexOf(":") + 1).trim());
}
