import type { BodySink } from "../http1/chunked.ts";
import type { ResponseHead } from "../http1/response-head.ts";

/** What became of a request that got no complete answer. */
export type FailureKind =
  /** Nothing listens at the app's address. */
  | "away"
  /** A connection that had been used before was closed before it answered: the app may never have seen the request. */
  | "stale"
  /** A new connection was reset before it answered: the app closed it with the request unread. */
  | "unread"
  /** The app broke off, before its answer or in it. */
  | "broke-off"
  /** The app's answer isn't one that can be passed on. */
  | "malformed";

export interface UpstreamFailure {
  readonly kind: FailureKind;
  readonly error: Error;
  /** Whether the answer's head was given in the same read: there was no `flush` behind it. */
  readonly headIsNew?: boolean;
}

/**
 * Who gets an answer, piece by piece as it comes from the app. Heads and bytes are valid during the call: whoever needs
 * them longer copies them.
 */
export interface AnswerReceiver extends BodySink {
  /** 100 to 199 but 101; more follows. */
  informational(head: ResponseHead): void;
  /** The answer's head. With 101 what follows, in both directions, isn't HTTP any more. */
  head(head: ResponseHead): void;
  /**
   * All that came in one read was given.
   * @param complete nothing of the answer is missing
   * @returns whether its bytes aren't needed any more, and to read on; if not, whoever says so calls `resume` later
   */
  flush(complete: boolean): boolean;
  /** The answer is complete and was taken; the connection is somebody else's now. */
  ended(): void;
  /** The app takes more of the request's body again. */
  writable(): void;
  /** No more calls follow. */
  failed(failure: UpstreamFailure): void;
}
