import type { ClientHttp2Session } from "node:http2";

/** A connection to the app, and how many streams it has. */
export interface H2cSession {
  readonly session: ClientHttp2Session;
  streams: number;
}

/** Where a request that is sent again gets its connection. */
export interface SessionSource {
  /** How long a request is held for the app, milliseconds. */
  readonly wait: number;
  /**
   * One that takes another stream, at once if there is one.
   * @param fail called when nothing listens at the app's address for `wait`
   * @returns takes the wish back
   */
  find(use: (session: H2cSession) => void, fail: (error: Error) => void): () => void;
}
