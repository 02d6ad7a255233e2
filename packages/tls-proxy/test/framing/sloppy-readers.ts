/** How a reader differs from the letter of RFC 9112: each of these was found in some server. */
interface Laxness {
  /** What ends a line. */
  readonly lineEnd?: RegExp;
  /** What a field's name is taken for. */
  readonly name?: (name: string) => string;
  /** What of a value says that there are chunks. */
  readonly chunked?: RegExp;
  readonly prefersLength?: boolean;
  /** Which of several lengths counts, and what of it. */
  readonly length?: (values: readonly string[]) => number;
  /** The size that a chunk's line says. */
  readonly size?: (line: string) => number;
  /** What stands behind a chunk's data. */
  readonly dataEnd?: RegExp;
  /** A line that begins with white space goes on with the one before. */
  readonly folds?: boolean;
  /** What can't be a request line is skipped. */
  readonly skipsJunk?: boolean;
}

const ANY_LINE_END = /\r\n|\n|\r/y;
const tidy = (name: string) => name.toLowerCase().replace(/[^a-z-]/g, "");
const hexadecimal = (line: string) => Number.parseInt(line.replace(/^[^\da-f]+/i, ""), 16);

/** Readers that an app may have: what the proxy lets through has to be one and the same to all of them. */
export const SLOPPY_READERS: Readonly<Record<string, Laxness>> = {
  "reads to the letter": {},
  "takes a length over chunks": { prefersLength: true },
  "takes anything with chunked in it for chunked": { chunked: /chunk/i },
  "takes anything with chunked in it, but a length over it": { chunked: /chunk/i, prefersLength: true },
  "ends lines at LF": { lineEnd: /\r?\n/y },
  "ends lines at CR, too": { lineEnd: ANY_LINE_END },
  "ends lines at NUL": { lineEnd: /\r\n|\0/y },
  "folds lines": { folds: true, chunked: /chunked/i },
  "takes _ for -": { name: (name) => name.toLowerCase().replaceAll("_", "-") },
  "sees only a name's letters": { name: tidy },
  "sees only a name's letters, and a length first": { name: tidy, prefersLength: true },
  "reads the first length": { length: (values) => Number.parseInt(values[0] ?? "0", 10) },
  "reads the last length": { length: (values) => Number.parseInt(values.at(-1) ?? "0", 10) },
  "reads the last of a list of lengths": { length: (values) => Number(values.join().split(",").at(-1)) },
  "reads what digits there are of a length": { length: ([value = "0"]) => Number(value.replace(/\D/g, "")) },
  "reads hexadecimal lengths": { length: ([value = "0"]) => Number(value) },
  "reads a chunk size as far as it goes": { size: hexadecimal },
  "reads chunk sizes with a prefix": { size: (line) => Number(line.replace(/^(?!0x)/, "0x")) },
  "reads chunk sizes of 32 bits": {
    size: (line) => Number(BigInt.asUintN(32, BigInt(`0x${line.match(/^[\da-f]+/i)?.[0] ?? "0"}`))),
  },
  "reads chunk sizes of 64 bits": {
    size: (line) => Number(BigInt.asUintN(64, BigInt(`0x${line.match(/^[\da-f]+/i)?.[0] ?? "0"}`))),
  },
  "doesn't look at what ends a chunk": { dataEnd: /[^]{2}/y },
  "wants nothing to end a chunk": { dataEnd: /(?:\r?\n)?/y },
  "takes all of it": {
    lineEnd: /\r?\n/y,
    name: tidy,
    chunked: /chunk/i,
    size: hexadecimal,
    dataEnd: /(?:\r?\n)?/y,
    folds: true,
  },
};

/** Readers that misread messages which nobody could write better: they prove a row, but judge no proxy. */
export const BROKEN_READERS: Readonly<Record<string, Laxness>> = {
  "reads no bodies": { length: () => 0, chunked: /^never$/, skipsJunk: true },
};

/** The targets of the requests that such a reader finds in a connection's bytes. */
export function readSloppily(text: string, laxness: Laxness): string[] {
  const reader = new SloppyReader(text, laxness);
  const targets: string[] = [];
  for (let target = reader.next(); target !== undefined; target = reader.next()) targets.push(target);
  return targets;
}

class SloppyReader {
  readonly #text: string;
  readonly #lax: Laxness;
  #position = 0;

  constructor(text: string, lax: Laxness) {
    this.#text = text;
    this.#lax = lax;
  }

  next(): string | undefined {
    let line = this.#line();
    while (line === "" || (this.#lax.skipsJunk === true && line !== undefined && !REQUEST_LINE.test(line)))
      line = this.#line();
    const [, target] = REQUEST_LINE.exec(line ?? "") ?? [];
    if (target === undefined) return undefined;
    const fields = this.#fields();
    if (fields === undefined) return undefined;
    return this.#skipBody(fields) ? target : undefined;
  }

  #skipBody(fields: readonly (readonly [string, string])[]): boolean {
    const all = (wanted: string) => fields.filter(([name]) => name === wanted).map(([, value]) => value);
    const lengths = all("content-length");
    const isChunked = all("transfer-encoding").some((value) => (this.#lax.chunked ?? /^chunked$/i).test(value));
    if (isChunked && !(this.#lax.prefersLength === true && lengths.length > 0)) return this.#skipChunks();
    const length = (this.#lax.length ?? (([value = "0"]) => Number(value)))(lengths);
    this.#position += Number.isFinite(length) && length > 0 ? length : 0;
    return true;
  }

  #skipChunks(): boolean {
    const { size = strictSize, dataEnd = /\r\n/y } = this.#lax;
    for (;;) {
      const line = this.#line();
      const octets = line === undefined ? Number.NaN : size(line);
      if (!(octets >= 0)) return false;
      if (octets === 0) return this.#fields() !== undefined;
      this.#position += octets;
      dataEnd.lastIndex = this.#position;
      const end = dataEnd.exec(this.#text);
      if (end === null) return false;
      this.#position += end[0].length;
    }
  }

  #fields(): [string, string][] | undefined {
    const fields: [string, string][] = [];
    for (;;) {
      const line = this.#line();
      if (line === undefined) return undefined;
      const last = fields.at(-1);
      if (line === "" || (this.#lax.folds === true && line.trim() === "")) return fields;
      if (this.#lax.folds === true && /^[ \t]/.test(line) && last !== undefined) last[1] += line;
      else fields.push(fieldOf(line, this.#lax.name ?? ((name) => name.toLowerCase())));
    }
  }

  #line(): string | undefined {
    const { lineEnd = /\r\n/y } = this.#lax;
    for (let at = this.#position; at < this.#text.length; at++) {
      lineEnd.lastIndex = at;
      const end = lineEnd.exec(this.#text);
      if (end === null) continue;
      const line = this.#text.slice(this.#position, at);
      this.#position = at + end[0].length;
      return line;
    }
    return undefined;
  }
}

const REQUEST_LINE = /^\s*\S+ (\S+) HTTP\/1\.[01]\s*$/;

function fieldOf(line: string, nameOf: (name: string) => string): [string, string] {
  const colon = line.indexOf(":");
  return [nameOf(line.slice(0, Math.max(0, colon))), line.slice(colon + 1).replace(/^[ \t]+|[ \t]+$/g, "")];
}

function strictSize(line: string): number {
  const [, digits] = /^([\da-f]+)(?:;.*)?$/i.exec(line) ?? [];
  return digits === undefined ? Number.NaN : Number.parseInt(digits, 16);
}
