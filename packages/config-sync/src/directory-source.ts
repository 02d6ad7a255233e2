import { setTimeout as delay } from "node:timers/promises";
import { watchPath } from "@pillion/kit/watch";
import { errors } from "./errors.ts";
import { Moved, type ReadFile, type TreeLimits, readTree } from "./read-tree.ts";
import { type Files, type Reading, type Source, contentOf } from "./source.ts";

const LIMITS: TreeLimits = { files: 20_000, bytes: 64 * 1024 * 1024 };
/** Passes over a source that doesn't hold still, at least, and for how long, milliseconds. */
const ATTEMPTS = 10;
const AT_MOST = 2_000;
/** Milliseconds between two of them. */
const PAUSE = 20;

/** A directory: a mounted ConfigMap or Secret, what repo-updater publishes, a bind mount, a directory that people edit. */
export function directorySource(directory: string, limits: TreeLimits = LIMITS): Source {
  return {
    name: directory,
    directory,
    read: (reading) => readConsistently(directory, limits, reading),
    watch: (changed, watching) => watchPath(directory, changed, watching),
  };
}

/**
 * Reads until two passes in a row are equal. A file's state held from its first reading to its second, and the end of the
 * first pass lies between the two for every file: so all of it was there at that moment. A file that was touched just now
 * may have been truncated to be written, so it is looked at again when it has come to rest, or after two seconds.
 */
async function readConsistently(directory: string, limits: TreeLimits, { signal, quiet }: Reading): Promise<Files> {
  const latest = performance.now() + AT_MOST;
  let before: string | undefined;
  let moved: Moved | undefined;
  for (let attempt = 0; attempt < ATTEMPTS || performance.now() < latest; attempt++) {
    let pause = attempt === 0 ? 0 : PAUSE;
    try {
      const files = await readTree(directory, limits, signal);
      const now = stateOf(files);
      if (now === before) {
        pause = unrest(files, quiet);
        if (pause === 0 || performance.now() > latest) return files;
      }
      before = now;
    } catch (error) {
      if (!(error instanceof Moved)) throw error;
      moved = error;
      before = undefined;
    }
    if (pause > 0) await delay(pause, undefined, { signal });
  }
  const reason = moved
    ? `${moved.message} vanished while it was read, or leads nowhere`
    : "kept changing while it was read";
  throw errors.SOURCE_UNSETTLED({ subject: "source", value: directory, reason, cause: moved?.cause });
}

/** How long until the file that was touched last has been at rest for `quiet`; a clock that is ahead doesn't count. */
function unrest(files: ReadonlyMap<string, ReadFile>, quiet: number): number {
  const age = Date.now() - [...files.values()].reduce((last, { touched }) => Math.max(last, touched), 0);
  return age < 0 || age >= quiet ? 0 : quiet - age;
}

function stateOf(files: ReadonlyMap<string, ReadFile>): string {
  const versions = [...files].map(([path, { version }]) => `${path}\0${version}`).toSorted();
  return [contentOf(files), ...versions].join("\n");
}
