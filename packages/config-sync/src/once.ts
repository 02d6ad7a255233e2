import type { Running } from "@pillion/kit";
import type { Applier } from "./apply.ts";
import type { Files } from "./source.ts";

/**
 * One pass: `done` resolves when the newest is in force, or waits for an app that hasn't started, as it is with an init
 * container; it rejects when the newest was refused or the app didn't take it.
 */
export function publishOnce(applier: Applier, read: () => Promise<Files>, signal: AbortSignal): Running {
  const pass = async () => {
    await applier.publish(await read(), signal);
    await applier.settle(signal);
    // When that went back, the newest is in quarantine now, and this says so.
    await applier.publish(await read(), signal);
  };
  const done = pass();
  return { done, stop: () => done.catch(() => undefined) };
}
