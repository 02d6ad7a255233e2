/** What the proxy itself knows of where a connection's requests come from. */
export interface OriginFacts {
  /** Nothing where there is no address, as on a unix socket. */
  readonly client?: { readonly address: string } | undefined;
  /** Further fields for every request, names and values in turn: the client certificate's. */
  readonly identity?: readonly string[] | undefined;
  /** Whether the client is a proxy that may say where its requests come from; then what it says is kept and added to. */
  readonly trusted?: boolean | undefined;
}

/** What a trusted proxy said of a request's origin, by lower-case name. */
export type SaidBefore = ReadonlyMap<string, string>;

/** The fields that tell the app of the client (RFC 7239 and its predecessors), for one connection's requests. */
export class Origin {
  readonly trusted: boolean;
  readonly #client: string;
  readonly #identity: readonly string[];
  #host: Buffer | undefined;
  #lines = "";

  constructor({ client, identity = [], trusted = false }: OriginFacts) {
    this.trusted = trusted;
    this.#client = plainAddress(client?.address);
    this.#identity = identity;
  }

  /**
   * Field lines for a request to the host in `bytes[start, end)`, most often that of the request before, and empty where
   * the client named none; all that the client said in such fields is dropped elsewhere.
   */
  lines(bytes: Buffer, start: number, end: number): string {
    if (!isSame(this.#host, bytes, start, end)) {
      this.#host = Buffer.from(bytes.subarray(start, end));
      this.#lines = linesOf(this.fields(this.#host.toString("latin1")));
    }
    return this.#lines;
  }

  /** The same for a host in a text, behind a trusted proxy. */
  linesBehind(host: string, said: SaidBefore): string {
    return linesOf(this.fields(host, said));
  }

  /**
   * Names and values in turn. What a trusted proxy said of proto, host and port stays, and its lists go on.
   * @param host empty where the client named none
   */
  fields(host: string, said: SaidBefore = NOTHING): string[] {
    const node = this.#client.includes(":") ? `"[${this.#client}]"` : this.#client;
    const askedFor = said.get("x-forwarded-host") ?? host;
    const list = (name: string, ours: string) => [said.get(name), ours].filter((one) => one !== undefined).join(", ");
    return [
      "X-Forwarded-For",
      list("x-forwarded-for", this.#client),
      "X-Forwarded-Proto",
      said.get("x-forwarded-proto") ?? "https",
      ...(askedFor === "" ? [] : ["X-Forwarded-Host", askedFor]),
      "X-Forwarded-Port",
      // The port that the client used: behind a port mapping it isn't the one that is listened on here.
      said.get("x-forwarded-port") ?? /:(\d+)$/.exec(host)?.[1] ?? "443",
      "Forwarded",
      list("forwarded", `for=${node}${host && `;host="${host}"`};proto=https`),
      ...this.#identity,
    ];
  }
}

function isSame(one: Buffer | undefined, bytes: Buffer, start: number, end: number): boolean {
  if (one === undefined || one.length !== end - start) return false;
  for (let index = 0; index < one.length; index++) if (one[index] !== bytes[start + index]) return false;
  return true;
}

const NOTHING: SaidBefore = new Map();

function linesOf(fields: readonly string[]): string {
  return fields.map((text, index) => (index % 2 === 0 ? `${text}: ` : `${text}\r\n`)).join("");
}

/** Sockets that serve both families give an IPv4 peer as `::ffff:192.0.2.1`, and a link-local one with its zone. */
function plainAddress(address = "unknown"): string {
  return address.replace(/^::ffff:(?=\d+\.)/i, "").replace(/%.*$/, "");
}
