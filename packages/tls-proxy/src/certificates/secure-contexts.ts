import { createSecureContext, type SecureContext, type SecureContextOptions, TLSSocket } from "node:tls";
import type { CertificatePair } from "./certificate.ts";
import type { ClientAuthority } from "./client-authority.ts";
import { type Offer, ServerNames } from "./server-names.ts";
import { tcpUnder } from "../tcp-under.ts";
import { type TlsPolicy, tlsSettings } from "./tls-settings.ts";

export interface SecureContextSettings {
  readonly tlsPolicy: TlsPolicy;
  /** Milliseconds. */
  readonly ticketRotation: number;
  readonly sniStrict: boolean;
  readonly authority: ClientAuthority | undefined;
}

/** OpenSSL's side of a set of certificates: a context for each, made at its first use and kept. */
export class SecureContexts {
  readonly #names: ServerNames;
  readonly #settings: SecureContextSettings;
  readonly #made = new Map<CertificatePair, SecureContext>();

  constructor(pairs: readonly CertificatePair[], settings: SecureContextSettings) {
    const [first, ...others] = pairs;
    if (first === undefined) throw new RangeError("there is no certificate to serve");
    this.#names = new ServerNames([first, ...others]);
    this.#settings = settings;
  }

  /** The server's own: for clients that ask for no name, or for none of these. */
  get fallbackOptions(): SecureContextOptions {
    const { tlsPolicy, ticketRotation, authority } = this.#settings;
    const { fallback } = this.#names;
    return {
      ...tlsSettings(tlsPolicy),
      ...this.#trust,
      cert: fallback.map(({ cert }) => cert),
      key: fallback.map(({ key }) => key),
      // OpenSSL resumes only what has the same: a session that other CAs let in begins anew.
      sessionIdContext: authority?.id ?? "tls-proxy",
      sessionTimeout: Math.max(1, Math.floor(ticketRotation / 1000)),
    };
  }

  /** An SNICallback; without a context Node goes on with the server's own. `socket` is the connection asking. */
  choose(name: string, socket: unknown, done: (error: Error | null, context?: SecureContext) => void): void {
    const offer = this.#names.find(name);
    const { fallback } = this.#names;
    if (offer === undefined && this.#settings.sniStrict) {
      sendUnrecognizedName(socket);
      return done(
        Object.assign(new Error("no certificate is for the name that was asked for"), { code: UNRECOGNIZED }),
      );
    }
    // OpenSSL itself chooses among several certificates of the server's own context, and does it best.
    const isOwn = offer?.length === fallback.length && offer.every((pair) => fallback.includes(pair));
    if (offer === undefined || isOwn) return done(null);
    try {
      done(null, this.#contextFor(choosePair(offer, socket)));
    } catch (error) {
      done(error as Error);
    }
  }

  /** Of such a context Node takes the certificate, its key and the CAs; all else stays the server's. */
  #contextFor(pair: CertificatePair): SecureContext {
    const { cert, key } = pair;
    const context = this.#made.get(pair) ?? createSecureContext({ ...this.#trust, cert, key });
    this.#made.set(pair, context);
    return context;
  }

  get #trust(): SecureContextOptions {
    const { authority } = this.#settings;
    return authority ? { ca: authority.pem } : {};
  }
}

/**
 * The one certificate for a client that could have several: Node takes only one from a context chosen by name. With TLS 1.3
 * the signatures that a client verifies say all, and RSA is the slow one. With TLS 1.2 its cipher suites count as well, which
 * Node doesn't show; RSA is what nearly every one knows.
 */
function choosePair(offer: Offer, socket: unknown): CertificatePair {
  const [first, ...others] = offer;
  if (others.length === 0 || !(socket instanceof TLSSocket)) return first;
  const verified = socket.getSharedSigalgs();
  const usable = offer.filter(({ signature }) => verified.some((algorithm) => algorithm.startsWith(signature)));
  const isRsa = ({ keyType }: CertificatePair) => keyType === "rsa";
  const wantsRsa = socket.getProtocol() !== "TLSv1.3";
  return usable.find((pair) => isRsa(pair) === wantsRsa) ?? usable[0] ?? first;
}

const UNRECOGNIZED = "ERR_TLS_UNRECOGNIZED_NAME";

/**
 * The fatal alert unrecognized_name (RFC 6066 §3). Node closes without a word, and nothing is encrypted yet, so it is
 * written right into the TCP connection: record type, TLS 1.2 as both versions say here, length, level, description.
 */
function sendUnrecognizedName(socket: unknown): void {
  const below = socket instanceof TLSSocket ? tcpUnder(socket) : undefined;
  if (below?.writable) below.write(Buffer.of(0x15, 0x03, 0x03, 0, 2, 2, 112));
}
