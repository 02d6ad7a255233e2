import { type Address, isLoopback } from "@pillion/kit";
import { parseAuthority } from "../redirect/authority.ts";

/**
 * A Location or Content-Location that an app made up as `http://` for itself, as `https://` on the host that the client
 * asked for. The app means itself when it writes
 * - the request's own name, without a port, with the request's, with 80, or with the port that the app listens on,
 * - or the address that it listens on.
 *
 * Everything else stays byte for byte: another host, another port, a relative reference, garbage.
 *
 * @param host the request's `name` or `name:port`
 * @param app where the app listens
 */
export function httpsLocation(value: string, host: string, app?: Address): string {
  const [, authority, rest] = /^http:\/\/([^/?#]+)([^]*)$/i.exec(value) ?? [];
  if (authority === undefined || rest === undefined) return value;
  const [target, own] = [parseAuthority(authority), parseAuthority(host)];
  if (!target || !own) return value;
  const { name, port = 80 } = target;
  const upstream = app && "port" in app ? app : undefined;
  const isOwn = sameName(name, own.name) && (port === 80 || port === (own.port ?? 443) || port === upstream?.port);
  const isUpstream = upstream !== undefined && port === upstream.port && sameHost(name, upstream.host);
  return isOwn || isUpstream ? `https://${host}${rest}` : value;
}

function sameName(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}

/** All names of loopback are one host: an app on 127.0.0.1 calls itself localhost. */
function sameHost(name: string, host: string): boolean {
  const bare = name.replace(/^\[(.*)\]$/, "$1");
  return sameName(bare, host) || (isLoopback(bare) && isLoopback(host));
}
