import { networkInterfaces } from "node:os";
import { type Health, type Loop, repeat } from "@pillion/kit";
import { networkDevices } from "@pillion/procfs";
import { errors } from "./errors.ts";

export interface NetworkWatchOptions {
  /** Milliseconds between two looks. */
  readonly period: number;
  readonly signal: AbortSignal;
  readonly health: Health;
}

/**
 * Looks whether the network that is shared with the app is still there. When the container that owns it is restarted,
 * this process stays behind in the old network, where only loopback is left and nobody comes any more; a restart puts it
 * into the new one.
 *
 * @returns rejects with NETWORK_LOST when two looks in a row found that every interface that was ever seen with an address
 * had gone; with loopback alone from the start there is nothing to lose. Undefined where it can't be watched: no Linux
 */
export function watchNetwork({ period, signal, health }: NetworkWatchOptions): Loop | undefined {
  if (!networkDevices()) return undefined;
  const known = new Set<string>();
  const look = async () => {
    const present = withAddress();
    for (const name of present) known.add(name);
    // A device that lost its address, on a machine without a link, is no reason to go.
    if (known.size > 0 && present.length === 0 && !networkDevices()?.some((name) => known.has(name)))
      throw networkLost();
  };
  return repeat(period, { signal, health: health.condition("network"), maxFailures: 2, cap: period }, look);
}

/** The interfaces, besides loopback, that have an address. */
function withAddress(): string[] {
  return Object.entries(networkInterfaces()).flatMap(([name, addresses = []]) =>
    addresses.some(({ internal }) => !internal) ? [name] : [],
  );
}

function networkLost(): Error {
  return errors.NETWORK_LOST({
    subject: "network",
    reason: "every interface but loopback has gone; the container that owns this network was probably restarted",
    remedy: "Have this one restarted too, by a restart policy; --network-watch 0 turns the check off",
  });
}
