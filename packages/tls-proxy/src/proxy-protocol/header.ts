/** One end of a TCP connection. */
export interface Endpoint {
  /** An IP address, as `canonicalAddress` writes it. */
  readonly address: string;
  readonly port: number;
}

/** Whom a connection was relayed for. Absent ends mean that the connection's own are the real ones. */
export interface ProxyHeader {
  readonly source?: Endpoint;
  readonly destination?: Endpoint;
  /** The host name that the client asked for by SNI. */
  readonly authority?: string;
  /** The protocol agreed on by ALPN. */
  readonly alpn?: string;
  readonly tls?: ProxyHeaderTls;
}

/** What is known of a client's TLS, for the app behind. */
export interface ProxyHeaderTls {
  /** `TLSv1.3` */
  readonly version: string;
  /** `TLS_AES_128_GCM_SHA256` */
  readonly cipher: string;
  /** The client's certificate, if it gave one. */
  readonly client?: { readonly commonName?: string; readonly verified: boolean };
}

/** What was read so far. `length` is the header's, in bytes: what follows is the connection's own. */
export type ProxyHeaderReading =
  | { readonly state: "incomplete" }
  | { readonly state: "malformed"; readonly reason: string }
  | ({ readonly state: "done"; readonly length: number } & ProxyHeader);

export const INCOMPLETE: ProxyHeaderReading = { state: "incomplete" };

export function malformed(reason: string): ProxyHeaderReading {
  return { state: "malformed", reason };
}

/** What version 2 begins with: no text, no TLS, no HTTP looks like it (proxy-protocol.txt, section 2.2). */
export const SIGNATURE: Buffer = Buffer.from("0d0a0d0a000d0a515549540a", "hex");

/** The types of TLV used here (proxy-protocol.txt, section 2.2). */
export const TLV = {
  ALPN: 0x01,
  AUTHORITY: 0x02,
  CRC32C: 0x03,
  TLS: 0x20,
  TLS_VERSION: 0x21,
  TLS_COMMON_NAME: 0x22,
  TLS_CIPHER: 0x23,
} as const;
