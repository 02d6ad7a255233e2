import { FieldKind } from "./field-kind.ts";
import { copyLines } from "./forward-request.ts";
import type { Fields } from "./fields.ts";
import type { Outgoing } from "./outgoing.ts";

/** Writes a chunk's size line (RFC 9112 §7.1); its data and CHUNK_END follow. */
export function chunkStart(size: number, out: Outgoing): void {
  out.text(`${size.toString(16)}\r\n`);
}

export const CHUNK_END = "\r\n";
export const LAST_CHUNK = "0\r\n\r\n";

/**
 * Writes the last chunk with the trailer fields that may pass: none that frames, routes or says where a message came
 * from (RFC 9110 §6.5.1).
 */
export function lastChunkWith(trailers: Fields, out: Outgoing): void {
  out.text("0\r\n");
  copyLines(trailers, out, 0, 0, MAY_NOT_TRAIL);
  out.lineEnd();
}

/** All kinds but these, as bits. */
const MAY_NOT_TRAIL = ~((1 << FieldKind.other) | (1 << FieldKind.date));

export function mayTrail(kind: number): boolean {
  return (MAY_NOT_TRAIL & (1 << kind)) === 0;
}
