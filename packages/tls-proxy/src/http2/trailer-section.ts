import { Fields, readFields } from "../http1/fields.ts";

/** Used within one call only. */
const FIELDS = new Fields();

/**
 * Reads a stream's trailer fields as strictly as those of a chunked body.
 * @param raw names and values in turn
 * @returns them, valid until the next call; or nothing when they are malformed
 */
export function trailerSection(raw: readonly string[]): Fields | undefined {
  const lines = raw.map((text, index) => (index % 2 === 0 ? `${text}: ` : `${text}\r\n`)).join("");
  FIELDS.reset(Buffer.from(`${lines}\r\n`, "latin1"));
  const isWhole = readFields(FIELDS, 0, FIELDS.bytes.length, "strict") === FIELDS.bytes.length;
  // Of other lines than were given, one would stand in a value.
  return isWhole && FIELDS.count * 2 === raw.length ? FIELDS : undefined;
}
