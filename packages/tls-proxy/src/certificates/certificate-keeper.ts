import { type Health, type Logger, messageOf } from "@pillion/kit";
import { type CertificatePair, validityProblem } from "./certificate.ts";

/** Where the certificate comes from. */
export interface CertificateSource {
  /** Rejects when there is none that could be served. */
  load(now: Date): Promise<CertificatePair>;
  /** Whether `load` makes a new one by itself when the one in force grows old. */
  readonly renews: boolean;
}

/** Keeps a good certificate in force: a bad one is refused, the old one stays, and health says so. */
export class CertificateKeeper {
  #current: CertificatePair;
  readonly #source: CertificateSource;
  readonly #log: Logger;
  readonly #reload;
  readonly #onChange: (pair: CertificatePair) => void;

  constructor(
    source: CertificateSource,
    first: CertificatePair,
    { log, health }: { log: Logger; health: Health },
    onChange: (pair: CertificatePair) => void,
  ) {
    this.#source = source;
    this.#current = first;
    this.#log = log;
    this.#reload = health.condition("certificate");
    this.#onChange = onChange;
  }

  get current(): CertificatePair {
    return this.#current;
  }

  async reload(now: Date): Promise<void> {
    try {
      const pair = await this.#source.load(now);
      this.#onChange(pair);
      if (pair.fingerprint !== this.#current.fingerprint) {
        this.#log.info({ fingerprint: pair.fingerprint, notAfter: pair.notAfter }, "another certificate is in force");
      }
      this.#current = pair;
      this.#reload.ok();
    } catch (error) {
      this.#reload.degraded(`refused, and the old one stays: ${messageOf(error)}`);
    }
  }

  /** The round made every hour. @throws CERTIFICATE_NOT_VALID */
  async check(now: Date): Promise<void> {
    if (this.#source.renews) await this.reload(now);
    const problem = validityProblem(this.#current, now);
    if (problem) throw problem;
  }
}
