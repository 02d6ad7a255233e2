// Hot path: reading, judging and forwarding the fields of a request costs some 1.5 µs, comparing them 0.1.
import type { Outgoing } from "./outgoing.ts";
import type { RequestHead } from "./request-head.ts";

/** Nothing longer is kept, octets: it would be most of what an idle connection costs. */
export const KEPT_AT_MOST = 2 * 1024;
/** Where nothing repeats, what comes is kept every so many times only. */
export const PATIENCE = 8;

/**
 * The field section of a connection's last request, and what went to the app in its place. Most clients send the same
 * fields with one request after the other. Where not an octet differs, reading them again would find the same; so only
 * sections are kept whose meaning depends on nothing but their octets and the connection.
 */
export class RepeatedFields {
  #came: Buffer = EMPTY;
  #sent: Buffer = EMPTY;
  #misses = 0;

  /** Octets, with the empty line. */
  get length(): number {
    return this.#came.length;
  }

  /** Whether the kept section stands at `bytes[start]`. */
  standAt(bytes: Buffer, start: number): boolean {
    const end = start + this.#came.length;
    return end > start && end <= bytes.length && this.#came.compare(bytes, start, end) === 0;
  }

  /** Writes what the section became. */
  forward(out: Outgoing): void {
    this.#misses = 0;
    out.copy(this.#sent, 0, this.#sent.length);
  }

  /** Keeps the section of a request that was read. @param sent what goes to the app behind the request line */
  keep(head: RequestHead, sent: Buffer): void {
    const { bytes, fieldsStart, end } = head;
    if (this.#misses++ % PATIENCE !== 0) return;
    if (end - fieldsStart > KEPT_AT_MOST || sent.length > KEPT_AT_MOST || !dependsOnFieldsAlone(head)) return;
    this.#came = copyOf(bytes.subarray(fieldsStart, end));
    this.#sent = copyOf(sent);
  }
}

/** No body, no wishes of the client, and a request line whose target and version have no say in the fields. */
function dependsOnFieldsAlone(head: RequestHead): boolean {
  return isOrdinary(head) && head.framing === "none" && !head.close && !head.upgrade && !head.expectsContinue;
}

/** Whether the request line is in the form whose fields are judged by themselves: HTTP/1.1, the host in Host. */
export function isOrdinary(head: RequestHead): boolean {
  return head.minorVersion === 1 && head.authorityEnd === head.authorityStart;
}

/** In memory of its own: a slice would keep what it is of. */
export function copyOf(bytes: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  copy.set(bytes);
  return copy;
}

const EMPTY = Buffer.alloc(0);
