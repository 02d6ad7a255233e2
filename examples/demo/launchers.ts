import { type ProcessIdentity, identify, readStat, stillRunning, supported } from "@pillion/procfs";

/**
 * Tells whether what started this process is still there. Under `npm start` that is a chain of npm, shell, npm and shell;
 * SIGTERM ends the first ones and leaves the last. They share our process group, which whatever is above them doesn't.
 */
export function watchLaunchers(self: number, parent: () => number): () => boolean {
  if (!supported()) {
    const first = parent();
    return () => parent() === first;
  }
  const launchers = launchersOf(self);
  return () => launchers.every((launcher) => stillRunning(launcher));
}

function launchersOf(self: number): ProcessIdentity[] {
  const launchers: ProcessIdentity[] = [];
  const own = readStat(self);
  let next = own && readStat(own.parent);
  while (next && next.processGroup === own?.processGroup) {
    const launcher = identify(next.pid);
    if (launcher) launchers.push(launcher);
    next = readStat(next.parent);
  }
  return launchers;
}
