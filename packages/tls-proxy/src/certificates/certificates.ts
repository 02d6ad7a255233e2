import type { Server, TLSSocket, TlsOptions } from "node:tls";
import { type Condition, type Health, type Logger, messageOf } from "@pillion/kit";
import { type PairsById, takeUp } from "./candidate.ts";
import { type CertificatePair, validityProblem } from "./certificate.ts";
import { type CertificateFiles, type CertificateSource, certificateSource } from "./certificate-source.ts";
import { type ClientAuthority, judge, type Judgement, loadClientAuthority } from "./client-authority.ts";
import type { ClientRule } from "./client-rules.ts";
import { SecureContexts } from "./secure-contexts.ts";
import { TicketKeys } from "./ticket-keys.ts";
import type { TlsPolicy } from "./tls-settings.ts";
import { watchFiles } from "./watch-files.ts";

export interface CertificatesOptions extends CertificateFiles {
  readonly sniStrict: boolean;
  readonly tlsPolicy: TlsPolicy;
  /** Milliseconds between two keys of session tickets; no ticket lives longer. */
  readonly ticketRotation: number;
  /** A PEM file; without it, clients aren't asked for certificates. */
  readonly clientCa?: string | undefined;
  readonly clientAuth: "require" | "request";
  readonly allowClient: readonly ClientRule[];
}

/** What certificates tell, for metrics. */
export interface CertificatesObserver {
  reloaded(outcome: "swapped" | "unchanged" | "refused"): void;
  clientJudged(outcome: "allowed" | "none" | "missing" | "untrusted" | "expired" | "not allowed"): void;
}

export interface CertificatesContext {
  readonly log: Logger;
  readonly health: Health;
  /** Ends watching. */
  readonly signal: AbortSignal;
  readonly observer?: CertificatesObserver;
  /** Shared with other processes that serve the same port; who shares them rotates them. */
  readonly ticketKeys?: TicketKeys;
}

/** How many problems a message names. */
const SHOWN = 5;

/**
 * Everything about certificates: which are served for which name, that only good ones come into force, and who a client is.
 * Files are watched; a change takes effect for handshakes from then on and closes nothing.
 */
export class Certificates {
  readonly #options: CertificatesOptions;
  readonly #context: CertificatesContext;
  readonly #source: CertificateSource;
  readonly #condition: Condition;
  readonly #tickets: TicketKeys;
  readonly #servers = new Set<Server>();
  #pairs: PairsById;
  #authority: ClientAuthority | undefined;
  #contexts: SecureContexts;
  #reloading: Promise<void> = Promise.resolve();
  #watching: Promise<void> = Promise.resolve();

  /** @throws CERTIFICATE_…, CLIENT_CA_…, STATE_DIRECTORY_NOT_WRITABLE when there is nothing that could be served */
  static async open(options: CertificatesOptions, context: CertificatesContext): Promise<Certificates> {
    const source = certificateSource(options, context.log);
    const { pairs, refused } = await takeUp(await source.find(new Date()), undefined, new Date());
    if (pairs.size === 0) throw refused[0];
    const authority = options.clientCa === undefined ? undefined : await loadClientAuthority(options.clientCa);
    const certificates = new Certificates(options, context, source, pairs, authority);
    certificates.#report(refused);
    certificates.#watch();
    return certificates;
  }

  private constructor(
    options: CertificatesOptions,
    context: CertificatesContext,
    source: CertificateSource,
    pairs: PairsById,
    authority: ClientAuthority | undefined,
  ) {
    this.#options = options;
    this.#context = context;
    this.#source = source;
    this.#pairs = pairs;
    this.#authority = authority;
    this.#condition = context.health.condition("certificate");
    this.#tickets = context.ticketKeys ?? new TicketKeys().rotate(options.ticketRotation, context.signal);
    this.#tickets.onReplace((keys) => this.#servers.forEach((server) => server.setTicketKeys(keys)));
    this.#contexts = this.#contextsOf(pairs, authority);
    for (const pair of pairs.values()) this.#announce(pair, "certificate in force");
  }

  /** What is in force, in order: the first is the default. */
  get inForce(): readonly CertificatePair[] {
    return [...this.#pairs.values()];
  }

  /** For `tls.createServer`, and whatever else makes one; the server has to be attached as well. */
  secureServerOptions(): TlsOptions {
    const contexts = () => this.#contexts;
    return {
      ...this.#contexts.fallbackOptions,
      ticketKeys: this.#tickets.current,
      requestCert: this.#options.clientCa !== undefined,
      rejectUnauthorized: false, // judged after the handshake, so that a client is told what is wrong
      SNICallback(name, done) {
        contexts().choose(name, this, done);
      },
    };
  }

  /** Keeps a server's certificates and ticket keys up to date until it closes. */
  attach(server: Server): void {
    this.#servers.add(server);
    server.once("close", () => this.#servers.delete(server));
  }

  /** Who a client is, once its handshake is over. */
  judgeClient(socket: TLSSocket): Judgement {
    if (this.#options.clientCa === undefined) return { identity: undefined };
    const required = this.#options.clientAuth === "require";
    const judgement = judge(socket, this.#options.allowClient, { required, now: new Date() });
    const outcome = judgement.refusal === undefined ? (judgement.identity ? "allowed" : "none") : judgement.outcome;
    this.#context.observer?.clientJudged(outcome);
    return judgement;
  }

  /** Reads everything anew. What is bad is refused and reported to health; what was good before stays. */
  reload(): Promise<void> {
    return (this.#reloading = this.#reloading.then(() => this.#reload(new Date())));
  }

  /** Resolves when the signal has aborted and nothing is watched any more. */
  async closed(): Promise<void> {
    await this.#watching;
    await this.#reloading;
  }

  async #reload(now: Date): Promise<void> {
    const refused: unknown[] = [];
    const keep =
      <T>(before: T) =>
      (error: unknown): T => (refused.push(error), before);
    const taken = await this.#source
      .find(now)
      .then((candidates) => takeUp(candidates, this.#pairs, now))
      .catch(keep({ pairs: this.#pairs, refused: [] }));
    const authority = this.#options.clientCa
      ? await loadClientAuthority(this.#options.clientCa).catch(keep(this.#authority))
      : undefined;
    refused.push(...taken.refused);
    const isNew = !samePairs(taken.pairs, this.#pairs) || authority?.id !== this.#authority?.id;
    try {
      if (isNew) this.#swap(taken.pairs, authority);
    } catch (error) {
      refused.push(error); // what OpenSSL accepts alone and not together
    }
    this.#context.observer?.reloaded(refused.length > 0 ? "refused" : isNew ? "swapped" : "unchanged");
    this.#report(refused);
  }

  #swap(pairs: PairsById, authority: ClientAuthority | undefined): void {
    const contexts = this.#contextsOf(pairs, authority);
    for (const server of this.#servers)
      server.setSecureContext({ ...contexts.fallbackOptions, ticketKeys: this.#tickets.current });
    const before = new Set(this.inForce.map(({ fingerprint }) => fingerprint));
    if (authority?.id !== this.#authority?.id)
      this.#context.log.info({ ca: this.#options.clientCa }, "other client CAs are in force");
    this.#pairs = pairs;
    this.#authority = authority;
    this.#contexts = contexts;
    for (const pair of pairs.values())
      if (!before.has(pair.fingerprint)) this.#announce(pair, "another certificate is in force");
  }

  #contextsOf(pairs: PairsById, authority: ClientAuthority | undefined): SecureContexts {
    const { tlsPolicy, ticketRotation, sniStrict } = this.#options;
    return new SecureContexts([...pairs.values()], { tlsPolicy, ticketRotation, sniStrict, authority });
  }

  #report(refused: readonly unknown[]): void {
    if (refused.length === 0) return this.#condition.ok();
    const shown = refused.slice(0, SHOWN).map(messageOf);
    if (refused.length > SHOWN) shown.push(`and ${refused.length - SHOWN} more`);
    this.#condition.degraded(`refused, and what was good before stays: ${shown.join("; ")}`);
  }

  #announce({ subject, names, addresses, keyType, fingerprint, notAfter }: CertificatePair, message: string): void {
    const all = [...names, ...addresses].slice(0, 10);
    this.#context.log.info({ subject, names: all, keyType, fingerprint, notAfter }, message);
  }

  #watch(): void {
    const { signal, health, log } = this.#context;
    this.#watching = watchFiles({
      paths: [...this.#source.paths, this.#options.clientCa ?? []].flat(),
      signal,
      log,
      read: () => this.reload(),
      health: health.condition("validity"),
      check: () => {
        const problems = this.inForce.map((pair) => validityProblem(pair, new Date()));
        const problem = problems.find((one) => one !== undefined);
        if (problem) throw problem;
      },
    });
  }
}

function samePairs(one: PairsById, other: PairsById): boolean {
  const others = [...other.values()];
  return one.size === other.size && [...one.values()].every((pair, index) => pair === others[index]);
}
