import { setTimeout as delay } from "node:timers/promises";
import { findProcess, longerNames, signalProcess } from "@pillion/kit";
import { type ProcessIdentity, type ProcessQuery, stillRunning } from "@pillion/procfs";

/** A query, and how the user wrote it. */
export interface ProcessSelector {
  readonly text: string;
  readonly query: ProcessQuery;
}

/** The app, as far as it has to be known: that it runs, and a way to tell it. */
export interface App {
  /** What messages call it. */
  readonly name: string;
  /** Tells it once. Undefined when it doesn't run. @throws when it runs and can't be told */
  tell(): Promise<ProcessIdentity | undefined>;
  find(): Promise<ProcessIdentity | undefined>;
  /** Names of running processes that may be meant when it isn't found. */
  longerNames(): Promise<readonly string[]>;
  /** Resolves with false as soon as the process has died, and with true when it lived for as long, milliseconds. */
  lives(process: ProcessIdentity, duration: number, signal: AbortSignal): Promise<boolean>;
}

/** An app that is told by a signal. */
export function signalledApp({ text, query }: ProcessSelector, signal: NodeJS.Signals): App {
  return {
    name: text,
    async tell() {
      const told = await signalProcess({ query, signal });
      return told.outcome === "signalled" ? told.process : undefined;
    },
    find: async () => (await findProcess(query))?.identity,
    longerNames: () => longerNames(query),
    lives,
  };
}

/** Milliseconds between two looks at a process that is watched. */
const LOOK = 50;

async function lives(identity: ProcessIdentity, duration: number, signal: AbortSignal): Promise<boolean> {
  const end = performance.now() + duration;
  while (stillRunning(identity)) {
    const left = end - performance.now();
    if (left <= 0) return true;
    await delay(Math.min(left, LOOK), undefined, { signal });
  }
  return false;
}
