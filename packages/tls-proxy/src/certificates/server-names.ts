import type { CertificatePair } from "./certificate.ts";

/** What one name is served with: one certificate of each type of key, so that every client finds one it knows. */
export type Offer = readonly [CertificatePair, ...CertificatePair[]];

/** Which certificates are for which server name. Of several for one name and type of key, the first given counts. */
export class ServerNames {
  readonly #offers = new Map<string, [CertificatePair, ...CertificatePair[]]>();
  /** For clients that ask for no name, or for one that nobody has: the first certificate, and its siblings. */
  readonly fallback: Offer;

  constructor(pairs: readonly [CertificatePair, ...CertificatePair[]]) {
    for (const pair of pairs) for (const name of pair.names) this.#add(name, pair);
    const [first] = pairs;
    const siblings = this.#offers.get(first.names[0] ?? "") ?? [];
    this.fallback = [first, ...siblings.filter(({ keyType }) => keyType !== first.keyType)];
  }

  /** For the name itself, else for a wildcard in place of its first label (RFC 9525 §6.3), else nothing. */
  find(serverName: string): Offer | undefined {
    const name = serverName.toLowerCase();
    const dot = name.indexOf(".");
    return this.#offers.get(name) ?? (dot > 0 ? this.#offers.get(`*${name.slice(dot)}`) : undefined);
  }

  #add(name: string, pair: CertificatePair): void {
    const offer = this.#offers.get(name);
    if (offer === undefined) this.#offers.set(name, [pair]);
    else if (!offer.some(({ keyType }) => keyType === pair.keyType)) offer.push(pair);
  }
}
