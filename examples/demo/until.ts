import { setTimeout } from "node:timers/promises";

const BETWEEN_TWO_LOOKS = 50;

/** Looks again and again until there is something to see. Rejects on abort, with the signal's reason. */
export async function until<Seen>(
  look: () => Promise<Seen | undefined | false> | Seen | undefined | false,
  signal: AbortSignal,
): Promise<Seen> {
  for (;;) {
    signal.throwIfAborted();
    const seen = await look();
    if (seen !== undefined && seen !== false) return seen;
    await setTimeout(BETWEEN_TWO_LOOKS);
  }
}
