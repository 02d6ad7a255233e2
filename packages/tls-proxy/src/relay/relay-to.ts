import type { TLSSocket } from "node:tls";
import { inspect } from "node:util";
import { type Address, UsageError, describeFault, formatAddress, isAddress } from "@pillion/kit";
import { type AnswerRules, NO_RULES } from "../answers/answer-rules.ts";
import type { Arrival } from "../front/arrivals.ts";
import type { UpstreamObserver } from "../http-proxy/engine.ts";
import { UpstreamPool } from "../upstream/upstream-pool.ts";
import { DEFAULT_LIMITS, type RelayLimits, type RelayObserver } from "./relay-options.ts";
import { Relay } from "./relay.ts";

export interface RelayToOptions extends Partial<RelayLimits> {
  /** How long a request is held while nothing listens at the app's address, milliseconds. Default: 5,000. */
  readonly upstreamWait?: number;
  /** How long one attempt to connect may take, milliseconds. Default: 5,000. */
  readonly connectTimeout?: number;
  /** What is changed in the app's answers because clients speak https. Default: nothing; see `answerRules`. */
  readonly rules?: AnswerRules;
  readonly observer?: Partial<RelayObserver & UpstreamObserver>;
}

/** A relay to one app, for a TLS server of one's own. */
export interface AppRelay {
  /**
   * Serves a connection whose handshake is over; to be called in `secureConnection`, before it reads anything.
   * @param arrival what else is known of the client: who it is by its certificate, or why it isn't let in
   */
  serve(socket: TLSSocket, arrival?: Partial<Arrival>): void;
  /**
   * Ends idle connections at once and the others when their answer is complete; no new ones may come any more.
   * @returns what is cut off at the deadline, a line each
   */
  drain(deadline: AbortSignal): Promise<string[]>;
  /** Connections that are open. */
  readonly open: number;
}

/**
 * Puts the relay and its pool of connections together: HTTP/1.1 from clients, read as strictly as tls-proxy does it (RFC 9112), and
 * passed on to the app with the fields that say where it came from.
 *
 * The server needs `ALPNProtocols: ["http/1.1"]` and should have `noDelay: true`.
 * @throws UsageError naming every option that is wrong
 */
export function relayTo(app: Address, options: RelayToOptions = {}): AppRelay {
  const problems = problemsWith(app, options);
  if (problems.length > 0) throw new UsageError("relayTo", problems);
  const { upstreamWait: wait, connectTimeout, ...limits } = numbersOf(options);
  const { rules = NO_RULES } = options;
  const observer = { ...SILENT, ...options.observer };
  const pool = new UpstreamPool({ address: app, wait, connectTimeout, observer });
  const defaultHost = "path" in app ? "localhost" : formatAddress(app);
  const relay = new Relay({ pool, defaultHost, observer, rules, limits });
  return {
    serve: (socket, arrival) => relay.accept(socket, { ...arrivalOf(socket), ...arrival }),
    async drain(deadline) {
      const cutOff = await relay.drain(deadline);
      pool.close();
      return cutOff;
    },
    get open() {
      return relay.open;
    },
  };
}

/** What may be given as a number, and what it is otherwise. */
const NUMBERS = { ...DEFAULT_LIMITS, upstreamWait: 5_000, connectTimeout: 5_000 };

function numbersOf(options: RelayToOptions): typeof NUMBERS {
  const given = Object.entries(options).filter(([name, value]) => name in NUMBERS && value !== undefined);
  return { ...NUMBERS, ...Object.fromEntries(given) };
}

/** What is wrong with them, for who writes JavaScript. */
function problemsWith(app: Address, options: RelayToOptions): string[] {
  const wrong = Object.entries(options).flatMap(([subject, value]: [string, unknown]) => {
    if (value === undefined || ["rules", "observer"].includes(subject)) return [];
    if (!(subject in NUMBERS)) return [describeFault({ subject, reason: "no such option" })];
    if (typeof value === "number" && value >= 0) return [];
    return [describeFault({ subject, value: inspect(value), reason: "not a number", remedy: "Give one from 0" })];
  });
  const remedy = "Give { host, port } or { path }";
  return isAddress(app) ? wrong : [describeFault({ subject: "app", reason: "not an address", remedy }), ...wrong];
}

const SILENT: RelayObserver & UpstreamObserver = { answered() {}, reached() {}, failed() {}, away() {} };

function arrivalOf(socket: TLSSocket): Arrival {
  const { remoteAddress: address, remotePort: port } = socket;
  const reset = () => socket.destroy();
  return address === undefined || port === undefined ? { reset } : { client: { address, port }, reset };
}
