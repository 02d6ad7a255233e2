import { CLIENT_GONE, type Client, type Outcome, accessEntry } from "../access-log/access-entry.ts";
import type { RelayOptions } from "./relay-options.ts";

/** What a request is about and what becomes of it, for metrics, the log and the access log; reused from one to the next. */
export class ExchangeRecord {
  /** The request's head as it goes to the app. */
  sentHead: Buffer = EMPTY;
  /** Whether it came in HTTP/1.0. */
  isHttp10 = false;
  /** On the clock of `performance.now`; 0 once it is over. */
  startedAt = 0;
  /** The answer's status, once its head is on its way to the client; 0 before. */
  status = 0;
  /** Octets of the answer's body. */
  bytesSent = 0;
  /** Why there was no answer of the app, or no whole one. */
  error: string | undefined;
  #upstreamTime: number | undefined;
  readonly #client: Client;
  readonly #relay: RelayOptions;

  constructor(client: Client, relay: RelayOptions) {
    this.#client = client;
    this.#relay = relay;
  }

  begin(): void {
    this.startedAt = performance.now();
    this.status = this.bytesSent = 0;
    this.error = this.#upstreamTime = undefined;
  }

  /** The app has begun to answer. */
  appAnswers(): void {
    this.#relay.observer.reached();
    if (this.#relay.access !== undefined) this.#upstreamTime = performance.now() - this.startedAt;
  }

  /** It is over. @param bytesReceived octets of the request's body @param unanswered what it counts as if no answer had begun */
  over(outcome: Outcome, bytesReceived: number, unanswered: number = CLIENT_GONE): void {
    if (this.startedAt === 0) return;
    const status = this.status || unanswered;
    const duration = performance.now() - this.startedAt;
    this.startedAt = 0;
    this.#relay.observer.answered(status, duration / 1000);
    if (this.#relay.access === undefined) return;
    const { bytesSent, error } = this;
    const numbers = { status, duration, bytesSent, bytesReceived, upstreamTime: this.#upstreamTime, error };
    const entry = accessEntry(this.#client, this.sentHead, { ...numbers, outcome });
    this.#relay.access.write(this.isHttp10 ? { ...entry, protocol: "HTTP/1.0" } : entry);
  }

  /** What is under way, for the log; without the query, which may hold secrets. */
  describe(now: number): string {
    const line = this.sentHead.toString("latin1", 0, Math.max(0, this.sentHead.indexOf("\r")));
    const request = line.replace(/ HTTP\/1\.1$/, "").replace(/\?.*$/, "");
    const seconds = ((now - this.startedAt) / 1000).toFixed(1);
    return `${request} from ${this.#client.arrival.client?.address}, ${seconds} s old`;
  }

  /** The value of a field of the request; "" if it isn't there. @param name in any case */
  fieldOf(name: string): string {
    const pattern = new RegExp(`\\r\\n${name}:[\\t ]*([^\\r]*)`, "i");
    return pattern.exec(this.sentHead.toString("latin1"))?.[1]?.trimEnd() ?? "";
  }
}

const EMPTY = Buffer.alloc(0);
