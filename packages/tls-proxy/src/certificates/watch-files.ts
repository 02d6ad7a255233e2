import { type Condition, type Logger, repeat } from "@pillion/kit";

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
  const rounds = repeat(RESYNC, { signal, health }, () => read().then(check));
  await Promise.all([rounds, watchAll(paths, changed, { signal, log })]);
}

async function watchAll(
  paths: readonly string[],
  changed: () => void,
  watching: Pick<FileWatch, "signal" | "log">,
): Promise<void> {
  if (paths.length === 0 || watching.signal.aborted) return;
  // Loaded only where there are files to watch: chokidar takes memory.
  const { watchPath } = await import("@pillion/kit/watch");
  // One level: what is right below a directory's directories counts, and not what Kubernetes keeps deeper down.
  await Promise.all(paths.map((path) => watchPath(path, changed, { ...watching, depth: 1 })));
}
