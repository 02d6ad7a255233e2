import { type ClientHttp2Session, type ClientHttp2Stream, constants } from "node:http2";

/** How often a request is sent again at most. */
const MOST = 2;
/** Before it is sent again on the same connection, milliseconds; twice as long the second time. */
const PAUSE = 50;

/** Whether a request that got no answer is sent again, and when. */
export class Repeats {
  readonly #wait: number;
  #count = 0;
  #giveUpAt: number | undefined;

  /** @param wait how long a request is held for the app, milliseconds */
  constructor(wait: number) {
    this.#wait = wait;
  }

  /** @returns the pause before it is sent again, milliseconds; nothing if it isn't */
  next(stream: ClientHttp2Stream, session: ClientHttp2Session): number | undefined {
    // RFC 9113 §8.7: nothing was done for it.
    const isRefused = stream.rstCode === constants.NGHTTP2_REFUSED_STREAM;
    // Once: what ends the app may be this very request.
    const isLost = session.destroyed && this.#count === 0;
    if (this.#count === MOST || !(isRefused || isLost)) return undefined;
    this.#count++;
    const now = performance.now();
    const pause = session.closed ? 0 : PAUSE * this.#count; // another connection is asked at once
    this.#giveUpAt ??= now + this.#wait;
    return now + pause <= this.#giveUpAt ? pause : undefined;
  }
}
