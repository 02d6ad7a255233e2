import { readlink, statfs } from "node:fs/promises";
import { isAbsolute, join, resolve, sep } from "node:path";
import { type FSWatcher, watch } from "chokidar";
import { messageOf, systemCode } from "./errors.ts";
import type { Logger } from "./log.ts";

export interface Watching {
  readonly signal: AbortSignal;
  readonly log: Logger;
  /** How many levels of directories below the path are watched; default: all. Of a file there are none. */
  readonly depth?: number;
}

/** Milliseconds between two looks where the kernel reports nothing. */
const POLLING_INTERVAL = 1_000;

/**
 * Calls `changed` when something in a directory, or a file, or a link on the way to it, may have changed. It says nothing
 * about what: libuv drops overflowing inotify queues silently, so whoever is called reads everything, and does so from
 * time to time without being called. Resolves when the signal has aborted and everything is freed.
 */
export async function watchPath(path: string, changed: () => void, watching: Watching): Promise<void> {
  let polling = false;
  while (!watching.signal.aborted) {
    const places = await placesOf(path);
    polling ||= await hasNoEvents(places);
    const outdated = new AbortController();
    const watcher = openWatcher(places, polling, watching.depth, (error) => {
      watching.log.warn({ error: messageOf(error) }, "a watch failed; changes are still found, later");
      if (!polling && ["ENOSPC", "EMFILE"].includes(systemCode(error) ?? "")) {
        polling = true;
        outdated.abort();
      }
    });
    const look = async () => {
      changed();
      if ((await placesOf(path)).join("\0") !== places.join("\0")) outdated.abort();
    };
    // What happened before a watcher was ready, nobody saw.
    watcher.on("ready", () => void look()).on("all", () => void look());
    await aborted(AbortSignal.any([watching.signal, outdated.signal]));
    await watcher.close();
  }
}

function openWatcher(
  places: readonly string[],
  polling: boolean,
  depth: number | undefined,
  onError: (error: unknown) => void,
): FSWatcher {
  const watcher = watch([...places], {
    backend: polling ? "polling" : "auto",
    pollingInterval: POLLING_INTERVAL,
    followSymlinks: false,
    ignoreInitial: true,
    atomic: false,
    ...(depth !== undefined && { depth }),
  });
  return watcher.on("error", onError);
}

/** As many links as the kernel follows, path_resolution(7). */
const LINKS_AT_MOST = 40;

/** Every link on the way to a path, and what they lead to, which may not exist. */
async function placesOf(path: string): Promise<string[]> {
  const links: string[] = [];
  const rest = partsOf(resolve(path));
  let place: string = sep;
  for (let part = rest.shift(); part !== undefined; part = rest.shift()) {
    const next = join(place, part);
    const target = await readlink(next).catch(() => undefined);
    if (target === undefined || links.length >= LINKS_AT_MOST) place = next;
    else {
      links.push(next);
      rest.unshift(...partsOf(target));
      if (isAbsolute(target)) place = sep;
    }
  }
  return [...new Set([...links, place])];
}

function partsOf(path: string): string[] {
  return path.split(sep).filter((part) => part !== "");
}

/** File systems that change without the kernel of this machine noticing: NFS, SMB, FUSE, 9p. statfs(2). */
const WITHOUT_EVENTS: readonly number[] = [0x6969, 0xff534d42, 0xfe534d42, 0x65735546, 0x01021997];

async function hasNoEvents(places: readonly string[]): Promise<boolean> {
  const found = await statfs(places.at(-1) ?? sep).catch(() => undefined);
  // Some kernels give the type as a signed number.
  return found !== undefined && WITHOUT_EVENTS.includes(found.type >>> 0);
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((done) => {
    if (signal.aborted) done();
    else signal.addEventListener("abort", () => done(), { once: true });
  });
}
