import { type Condition, type Logger, repeat } from "@pillion/kit";
import { watchPath } from "@pillion/kit/watch";

export interface FileWatch {
  readonly paths: readonly string[];
  readonly signal: AbortSignal;
  readonly log: Logger;
  /** Reads everything; after changes, and from time to time without any. */
  readonly read: () => Promise<void>;
  /** Throws what is wrong with what was read; looked at with every reading from time to time, and told to `health`. */
  readonly check: () => void;
  readonly health: Condition;
}

/** Quiet after a change before files are read, milliseconds: two files are rarely written in one step. */
const SETTLE = 200;
/** Between two looks at everything, events or not, milliseconds. */
const RESYNC = 60_000;

/** Resolves when the signal has aborted and everything is freed. */
export async function watchFiles({ paths, signal, log, read, check, health }: FileWatch): Promise<void> {
  let settled: NodeJS.Timeout | undefined;
  const changed = () => {
    clearTimeout(settled);
    settled = setTimeout(() => !signal.aborted && void read(), SETTLE).unref();
  };
  // One level: what is right below a directory's directories counts, and not what Kubernetes keeps deeper down.
  const watches = paths.map((path) => watchPath(path, changed, { signal, log, depth: 1 }));
  const rounds = repeat(RESYNC, { signal, health }, () => read().then(check));
  await Promise.all([...watches, rounds]);
}
