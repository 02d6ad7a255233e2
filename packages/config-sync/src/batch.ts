/**
 * Turns many calls into few: `done` is called when there was no call for `quiet` milliseconds, and at the latest `atMost`
 * milliseconds after the first, so that something that never comes to rest isn't put off for ever.
 */
export function batch({ quiet, atMost }: { quiet: number; atMost: number }, done: () => void): Batch {
  let idle: NodeJS.Timeout | undefined;
  let latest: NodeJS.Timeout | undefined;
  const close = () => {
    clearTimeout(idle);
    clearTimeout(latest);
    latest = undefined;
  };
  const end = () => {
    close();
    done();
  };
  const add = () => {
    clearTimeout(idle);
    idle = setTimeout(end, Math.min(quiet, atMost));
    latest ??= setTimeout(end, atMost);
  };
  return { add, close };
}

export interface Batch {
  readonly add: () => void;
  /** Forgets what was added. */
  readonly close: () => void;
}
