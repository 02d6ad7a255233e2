// Hot path: one pass over the octets, offsets instead of strings, nothing allocated. A field costs about 30 ns so, and
// about 250 ns as two strings in a list.
import { COLON, CR, LF, NAME, SPACE, TAB, VALUE } from "./bytes.ts";
import { FIELD_KINDS, type FieldKind, fieldKind } from "./field-kind.ts";

const MAX_FIELDS = 100;

/** The field lines of a head or of a trailer section, as offsets into its bytes. Reused from message to message. */
export class Fields {
  bytes: Buffer = EMPTY;
  count = 0;
  /** Whether every line is as the standard wants it, so that lines can be passed on as they are. */
  clean = true;
  /** A line from its first octet to behind its line end; name and value without white space around. */
  readonly lineStart = new Int32Array(MAX_FIELDS + 1);
  readonly nameEnd = new Int32Array(MAX_FIELDS + 1);
  readonly valueStart = new Int32Array(MAX_FIELDS + 1);
  readonly valueEnd = new Int32Array(MAX_FIELDS + 1);
  readonly lineEnd = new Int32Array(MAX_FIELDS + 1);
  readonly kind = new Uint8Array(MAX_FIELDS + 1);
  /** Bits `1 << kind` of the kinds that are there, and of those that are there more than once. */
  seen = 0;
  repeated = 0;
  /** The first line of each kind that was seen. */
  readonly #first = new Uint8Array(FIELD_KINDS);

  reset(bytes: Buffer): void {
    this.bytes = bytes;
    this.count = 0;
    this.clean = true;
    this.seen = this.repeated = 0;
  }

  /** The name in lower case, `_` as it was. */
  name(index: number): string {
    return this.bytes.toString("latin1", this.lineStart[index], this.nameEnd[index]).toLowerCase();
  }

  value(index: number): string {
    return this.bytes.toString("latin1", this.valueStart[index], this.valueEnd[index]);
  }

  /** The first of a kind, or -1. */
  find(kind: FieldKind): number {
    return this.has(kind) ? (this.#first[kind] ?? -1) : -1;
  }

  has(kind: FieldKind): boolean {
    return (this.seen & (1 << kind)) !== 0;
  }

  /** Whether there is more than one of a kind. */
  repeats(kind: FieldKind): boolean {
    return (this.repeated & (1 << kind)) !== 0;
  }

  /** Counts a line that was read. */
  add(kind: FieldKind): void {
    const bit = 1 << kind;
    this.kind[this.count] = kind;
    if ((this.seen & bit) === 0) this.#first[kind] = this.count;
    else this.repeated |= bit;
    this.seen |= bit;
    this.count++;
  }
}

const EMPTY = Buffer.alloc(0);

/** How lines are read: a client's strictly; an app's with what RFC 9112 lets a gateway mend (§2.2, §5.1). */
export type Manner = "strict" | "lenient";

/** Reads on: more bytes are needed. */
export const INCOMPLETE = -1;

/**
 * Reads field lines from `position` to the empty line (RFC 9112 §5).
 * @returns the position behind the empty line; INCOMPLETE; or what is wrong with them
 */
export function readFields(fields: Fields, position: number, end: number, manner: Manner): number | string {
  const { bytes } = fields;
  for (;;) {
    const octet = position < end ? bytes[position] : undefined;
    if (octet === undefined) return INCOMPLETE;
    if (octet === CR) {
      if (position + 1 >= end) return INCOMPLETE;
      return bytes[position + 1] === LF ? position + 2 : BARE_CR;
    }
    if (octet === LF) return manner === "lenient" ? position + 1 : BARE_LF;
    const next = readField(fields, position, end, manner);
    if (typeof next === "string" || next === INCOMPLETE) return next;
    position = next;
  }
}

export const BARE_LF = "a line ends in LF without CR";
export const BARE_CR = "a CR stands without LF";
export const TOO_MANY_FIELDS = `there are more than ${MAX_FIELDS} header fields`;

function readField(fields: Fields, start: number, end: number, manner: Manner): number | string {
  const { bytes, count } = fields;
  if (count >= MAX_FIELDS) return TOO_MANY_FIELDS;
  let position = start;
  while (position < end && NAME[bytes[position] ?? 0] !== 0) position++;
  if (position >= end) return INCOMPLETE;
  const nameEnd = position;
  if (nameEnd === start) return badStart(bytes[start]);
  if (bytes[position] !== COLON) {
    if (manner === "strict" || !isBlank(bytes[position])) return badName(bytes[position]);
    while (isBlank(bytes[position])) position++;
    if (position >= end) return INCOMPLETE;
    if (bytes[position] !== COLON) return "a field name holds white space";
    fields.clean = false;
  }
  position++;
  while (position < end && isBlank(bytes[position])) position++;
  const valueStart = position;
  while (position < end && VALUE[bytes[position] ?? 0] !== 0) position++;
  if (position >= end) return INCOMPLETE;
  const next = lineEnd(fields, position, end, manner);
  if (typeof next === "string" || next === INCOMPLETE) return next;
  fields.lineStart[count] = start;
  fields.nameEnd[count] = nameEnd;
  fields.valueStart[count] = valueStart;
  let valueEnd = position;
  while (valueEnd > valueStart && isBlank(bytes[valueEnd - 1])) valueEnd--;
  fields.valueEnd[count] = valueEnd;
  fields.lineEnd[count] = next;
  fields.add(fieldKind(bytes, start, nameEnd));
  return next;
}

/** @returns the position behind the line end at `position`; INCOMPLETE; or what is wrong with it */
export function lineEnd(fields: Fields, position: number, end: number, manner: Manner): number | string {
  const { bytes } = fields;
  if (bytes[position] === CR) {
    if (position + 1 >= end) return INCOMPLETE;
    return bytes[position + 1] === LF ? position + 2 : BARE_CR;
  }
  if (bytes[position] !== LF) return "a field value holds a control character";
  if (manner === "strict") return BARE_LF;
  fields.clean = false;
  return position + 1;
}

const isBlank = (octet: number | undefined): boolean => octet === SPACE || octet === TAB;

function badStart(octet: number | undefined): string {
  if (isBlank(octet)) return "a field line begins with white space (obs-fold)";
  return octet === COLON ? "a field has no name" : "a field name holds a character that is not allowed";
}

function badName(octet: number | undefined): string {
  if (octet === CR || octet === LF) return "a field line has no colon";
  return isBlank(octet)
    ? "white space stands before a field's colon"
    : "a field name holds a character that is not allowed";
}
