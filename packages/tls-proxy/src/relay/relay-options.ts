import type { AccessLog } from "../access-log/access-log.ts";
import type { AnswerRules } from "../answers/answer-rules.ts";
import type { Upstreams } from "../upstream/upstream.ts";

/** What an engine tells of requests and of the app. */
export interface RelayObserver {
  /**
   * A request is over.
   * @param status of its answer; 499 when the client left before there was one
   * @param seconds from its head to its answer's end
   */
  answered(status: number, seconds: number): void;
  /** The app answered. */
  reached(): void;
  /** The app broke off, or its answer can't be passed on. */
  failed(error: Error): void;
}

/** Times in milliseconds, sizes in bytes; 0 is none. */
export interface RelayLimits {
  readonly headTimeout: number;
  readonly keepAliveTimeout: number;
  /** How long a client may take nothing of what is sent to it, or send nothing of what it announced. */
  readonly stallTimeout: number;
  /** Least bytes a second of a request's body; the app's own slowness doesn't count. */
  readonly minBodyRate: number;
  /** Over how long the rate of a body is measured. */
  readonly bodyRateWindow: number;
  readonly maxBody: number;
  readonly maxRequests: number;
}

export const DEFAULT_LIMITS: RelayLimits = {
  headTimeout: 20_000,
  keepAliveTimeout: 75_000, // longer than the 60 s of common load balancers, or they send into a closing connection
  stallTimeout: 60_000,
  minBodyRate: 240,
  bodyRateWindow: 10_000,
  maxBody: 0,
  maxRequests: 0,
};

/** What all connections of a relay share. */
export interface RelayOptions {
  readonly pool: Upstreams;
  /** The Host that the app gets from HTTP/1.0 clients that send none. */
  readonly defaultHost: string;
  readonly observer: RelayObserver;
  readonly rules: AnswerRules;
  readonly limits: RelayLimits;
  /** Where each request is told of, if anywhere. */
  readonly access?: Pick<AccessLog, "write"> | undefined;
  /** Aborts when each connection has to end with its next answer, as the proxy will stop. */
  readonly stopping?: AbortSignal | undefined;
}
