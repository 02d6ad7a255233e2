import { isIP, isIPv4 } from "node:net";
import { type Address, isLoopback, reachable } from "@pillion/kit";
import { canonicalAddress } from "./ip-address.ts";

/** Whether who connects to `app` comes, or may come, to what listens there. Port 0 is a free one, and never the app's. */
export function reaches(app: Address, listen: Address): boolean {
  if ("path" in app || "path" in listen) return "path" in app && "path" in listen && app.path === listen.path;
  const { host, port } = reachable(app) as typeof app;
  if (port !== listen.port || port === 0) return false;
  return addressesOf(host).some((address) => {
    if (listen.host === "0.0.0.0") return isLoopback(address) && isIPv4(address);
    if (["", "::"].includes(listen.host)) return isLoopback(address);
    return addressesOf(listen.host).includes(address);
  });
}

/** What a host may stand for. Only localhost is known without asking (RFC 6761 §6.3); other names stand for themselves. */
function addressesOf(host: string): string[] {
  if (isIP(host) !== 0) return [canonicalAddress(host)];
  return isLoopback(host) ? ["127.0.0.1", "::1"] : [host];
}
