import { randomBytes } from "node:crypto";

/** Name, cipher and authentication key, 16 bytes each: what OpenSSL protects session tickets with. */
const BYTES = 48;

/**
 * The keys of session tickets. Whoever has them can read recorded TLS 1.2 sessions, so they are replaced while running;
 * a ticket of older keys costs its client a full handshake. Processes that share a port share them: one rotates, and
 * hands each new key to the others' `replace`.
 */
export class TicketKeys {
  #current: Buffer;
  readonly #listeners = new Set<(keys: Buffer) => void>();

  constructor(first: Buffer = randomBytes(BYTES)) {
    this.#current = checked(first);
  }

  get current(): Buffer {
    return this.#current;
  }

  /** For handshakes from now on. @throws RangeError unless it is 48 bytes */
  replace(next: Buffer = randomBytes(BYTES)): void {
    this.#current = checked(next);
    for (const listener of this.#listeners) listener(next);
  }

  onReplace(listener: (keys: Buffer) => void): void {
    this.#listeners.add(listener);
  }

  /** Makes new ones every `period` milliseconds. */
  rotate(period: number, signal: AbortSignal): this {
    const timer = setInterval(() => this.replace(), period).unref();
    signal.addEventListener("abort", () => clearInterval(timer), { once: true });
    return this;
  }
}

function checked(keys: Buffer): Buffer {
  if (keys.length !== BYTES) throw new RangeError(`ticket keys are ${BYTES} bytes, not ${keys.length}`);
  return keys;
}
