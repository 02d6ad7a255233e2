/** Where to listen or connect: a TCP endpoint (an empty host is all interfaces) or a unix socket's path. */
export type Address = { readonly host: string; readonly port: number } | { readonly path: string };

/**
 * Reads `host:port`, `[v6]:port`, `:port` (all interfaces) or `unix:/path`.
 *
 * @throws RangeError when the text is none of these
 */
export function parseAddress(text: string): Address {
  if (text.startsWith("unix:/")) return { path: text.slice("unix:".length) };
  const match = /^(?:\[([0-9a-f:.]+)\]|([^:[\]/\s]*)):([0-9]{1,5})$/i.exec(text);
  const port = Number(match?.[3]);
  if (!match || port > 65_535) throw new RangeError(`not an address${withoutScheme(text)}`);
  return { host: match[1] ?? match[2] ?? "", port };
}

function withoutScheme(text: string): string {
  const [scheme] = /^[a-z][a-z0-9+.-]*:\/\//i.exec(text) ?? [];
  return scheme === undefined ? "" : `; leave ${scheme} out`;
}

/** Whether a value of whoever is one. */
export function isAddress(value: unknown): value is Address {
  if (typeof value !== "object" || value === null) return false;
  const { path, host, port } = value as Record<string, unknown>;
  if (path !== undefined) return typeof path === "string";
  return typeof host === "string" && Number.isInteger(port) && Number(port) >= 0 && Number(port) <= 65_535;
}

/** The text that `parseAddress` reads. */
export function formatAddress(address: Address): string {
  if ("path" in address) return `unix:${address.path}`;
  return `${address.host.includes(":") ? `[${address.host}]` : address.host}:${address.port}`;
}

/** Only this machine (or what shares its network namespace) reaches it: RFC 1122 §3.2.1.3, RFC 4291 §2.5.3, RFC 6761 §6.3. */
export function isLoopback(host: string): boolean {
  return host === "::1" || /^127(?:\.\d{1,3}){3}$/.test(host) || /^(?:.+\.)?localhost\.?$/i.test(host);
}

/** Where a client on this machine reaches what listens there: an address of all interfaces becomes loopback. */
export function reachable(address: Address): Address {
  if ("path" in address) return address;
  if (address.host === "" || address.host === "0.0.0.0") return { host: "127.0.0.1", port: address.port };
  return address.host === "::" ? { host: "::1", port: address.port } : address;
}
