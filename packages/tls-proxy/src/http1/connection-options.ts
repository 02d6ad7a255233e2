import { equalsText } from "./bytes.ts";
import { FieldKind } from "./field-kind.ts";
import type { Fields } from "./fields.ts";

/** What the `Connection` fields of a message say (RFC 9110 §7.6.1). */
export interface ConnectionOptions {
  close: boolean;
  keepAlive: boolean;
  upgrade: boolean;
  /** Other names that are listed, in lower case: those fields go no further than this connection. */
  listed: readonly string[] | undefined;
}

/** Reads all `Connection` fields into `options`, which is reused. */
export function readConnectionOptions(fields: Fields, options: ConnectionOptions): void {
  options.close = options.keepAlive = options.upgrade = false;
  options.listed = undefined;
  if (!fields.has(FieldKind.connection)) return;
  const { bytes, kind, count, valueStart, valueEnd } = fields;
  for (let index = 0; index < count; index++) {
    if (kind[index] !== FieldKind.connection) continue;
    const [start = 0, end = 0] = [valueStart[index], valueEnd[index]];
    // Nearly all there is.
    if (equalsText(bytes, start, end, "keep-alive")) options.keepAlive = true;
    else if (equalsText(bytes, start, end, "close")) options.close = true;
    else readList(fields.value(index), options);
  }
}

function readList(value: string, options: ConnectionOptions): void {
  for (const item of value.split(",")) {
    const option = item.trim().toLowerCase();
    if (option === "close") options.close = true;
    else if (option === "keep-alive") options.keepAlive = true;
    else if (option === "upgrade") options.upgrade = true;
    else if (option !== "") options.listed = [...(options.listed ?? []), option];
  }
}
