import type { Refusal } from "../http1/refusal.ts";
import type { RelayLimits } from "./relay-options.ts";

/** Judges whether a request's body comes fast enough. While its client can't send, as the app takes no more, nothing is held against it. */
export class BodyPace {
  readonly #limits: RelayLimits;
  /** When the rate began to be measured, and what of the body was there by then. */
  #since = 0;
  #lengthBefore = 0;
  /** What was there when more was last seen to have come, and when that was. */
  #lengthSeen = -1;
  #seenAt = 0;

  constructor(limits: RelayLimits) {
    this.#limits = limits;
  }

  /** A new body. @param now on the clock of `performance.now` */
  begin(now: number): void {
    this.#since = now;
    this.#lengthBefore = 0;
    this.#lengthSeen = -1;
  }

  /**
   * To be called every second.
   * @param length octets of the body that have come
   * @param waits whether it is the client who is waited for
   * @returns why the body is refused, if it is
   */
  judge(now: number, length: number, waits: boolean): Refusal | undefined {
    const { minBodyRate, bodyRateWindow, stallTimeout } = this.#limits;
    if (!waits || length !== this.#lengthSeen) {
      this.#lengthSeen = length;
      this.#seenAt = now;
    } else if (stallTimeout > 0 && now - this.#seenAt > stallTimeout) return STALLED;
    const age = now - this.#since;
    if (waits && age < bodyRateWindow) return undefined;
    if (waits && length - this.#lengthBefore < (minBodyRate * age) / 1000) return TOO_SLOW;
    this.#since = now;
    this.#lengthBefore = length;
    return undefined;
  }
}

const STALLED: Refusal = { status: 408, reason: "nothing more of its body came" };
const TOO_SLOW: Refusal = { status: 408, reason: "its body comes too slowly" };
