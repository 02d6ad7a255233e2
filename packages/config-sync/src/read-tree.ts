import { constants, type BigIntStats } from "node:fs";
import { open, readdir, realpath, stat } from "node:fs/promises";
import { join, sep } from "node:path";
import { type TreeFile, systemCode } from "@pillion/kit";
import { errors } from "./errors.ts";

/** Bounds on what is taken into memory at once. */
export interface TreeLimits {
  readonly files: number;
  /** Of all files together. */
  readonly bytes: number;
}

/** One file, and what shows that it was touched even when its bytes are the same again. */
export interface ReadFile extends TreeFile {
  readonly version: string;
  /** When it was touched last, milliseconds since 1970 by the clock of its file system. */
  readonly touched: number;
}

/** Something vanished between two looks at it; reading again may help. */
export class Moved extends Error {}

interface Walk {
  readonly root: string;
  readonly limits: TreeLimits;
  readonly signal: AbortSignal;
  readonly files: Map<string, ReadFile>;
  bytes: number;
}

/**
 * Reads every file of a directory once. Links within the tree are followed, as a Kubernetes volume consists of them, and
 * come out as what they lead to; links that leave it are refused. Names at the top that start with `..` belong to
 * whoever publishes there (Kubernetes, repo-updater), and what editors leave beside a file is nobody's configuration.
 *
 * @throws Moved, and SOURCE_MISSING, SOURCE_UNREADABLE or SOURCE_REFUSED
 */
export async function readTree(
  directory: string,
  limits: TreeLimits,
  signal: AbortSignal,
): Promise<Map<string, ReadFile>> {
  const root = await realpath(directory).catch((cause: unknown) => {
    throw sourceGone(directory, cause);
  });
  const walk: Walk = { root, limits, signal, files: new Map(), bytes: 0 };
  await readDirectory(walk, root, "", [root]);
  // What is left of a volume that was unmounted. Nobody means to take all configuration away from a running app.
  if (walk.files.size === 0) throw sourceMissing(directory, "holds no files; waiting for some");
  return walk.files;
}

async function readDirectory(walk: Walk, real: string, prefix: string, above: readonly string[]): Promise<void> {
  const entries = await found(real, readdir(real, { withFileTypes: true }));
  for (const entry of entries) {
    walk.signal.throwIfAborted();
    const path = prefix + entry.name;
    if (path.startsWith("..") || isEditorFile(entry.name)) continue;
    const place = join(real, entry.name);
    if (entry.isSymbolicLink()) await readLinked(walk, place, path, above);
    else if (entry.isDirectory()) await readDirectory(walk, place, `${path}/`, [...above, place]);
    else await readFile(walk, place, path);
  }
}

/** Vim's swap files, Emacs's locks and autosaves, backups: they come and go while somebody edits. */
function isEditorFile(name: string): boolean {
  return /~$|^\.#|^#.*#$|^\..*\.sw[a-px]$/.test(name);
}

async function readLinked(walk: Walk, link: string, path: string, above: readonly string[]): Promise<void> {
  const real = await found(link, realpath(link));
  if (real !== walk.root && !real.startsWith(walk.root + sep)) throw refused(link, "a link that leaves the source");
  if (above.includes(real)) throw refused(link, "a link to a directory that it lies in");
  const target = await found(real, stat(real));
  if (target.isDirectory()) await readDirectory(walk, real, `${path}/`, [...above, real]);
  else await readFile(walk, real, path);
}

async function readFile(walk: Walk, place: string, path: string): Promise<void> {
  // Without waiting for the other end of a pipe, and without following what has become a link since.
  const handle = await found(place, open(place, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW));
  try {
    const status = await handle.stat({ bigint: true });
    if (!status.isFile()) throw refused(place, "neither a file nor a directory");
    walk.bytes += Number(status.size);
    if (walk.bytes > walk.limits.bytes) throw refused(walk.root, `more than ${walk.limits.bytes} bytes in all`);
    if (walk.files.size >= walk.limits.files) throw refused(walk.root, `more than ${walk.limits.files} files`);
    const bytes = await handle.readFile();
    walk.files.set(path, { bytes, mode: Number(status.mode & 0o777n), ...ownerOf(status), ...touchOf(status) });
  } finally {
    await handle.close();
  }
}

/** Whose a file is matters where its mode shuts others out; elsewhere the one who publishes may own it. */
function ownerOf({ uid, gid, mode }: BigIntStats): Pick<TreeFile, "owner"> {
  const [me = 0, mine = 0] = [process.geteuid?.(), process.getegid?.()];
  if ((mode & 0o004n) !== 0n) return {};
  const owner = me === 0 ? { uid: Number(uid), gid: Number(gid) } : { uid: me, gid: groupOf(Number(gid), mine) };
  return owner.uid === me && owner.gid === mine ? {} : { owner };
}

/** Only root may give files away; others may hand them to a group of their own. */
function groupOf(gid: number, mine: number): number {
  return process.getgroups?.().includes(gid) ? gid : mine;
}

function touchOf({ dev, ino, ctimeNs, ctimeMs }: BigIntStats): Pick<ReadFile, "version" | "touched"> {
  return { version: `${dev}:${ino}:${ctimeNs}`, touched: Number(ctimeMs) };
}

async function found<T>(place: string, look: Promise<T>): Promise<T> {
  try {
    return await look;
  } catch (cause) {
    const code = systemCode(cause);
    if (code === "ENOENT" || code === "ENOTDIR" || code === "ELOOP") throw new Moved(place, { cause });
    if (code === "ENXIO") throw refused(place, "neither a file nor a directory");
    throw unreadable(place, cause);
  }
}

function sourceGone(directory: string, cause: unknown): Error {
  if (systemCode(cause) !== "ENOENT") return unreadable(directory, cause);
  return sourceMissing(directory, "not there; waiting for it");
}

function sourceMissing(directory: string, reason: string): Error {
  return errors.SOURCE_MISSING({ subject: "--source", value: directory, reason, remedy: "Mount or fill it" });
}

function unreadable(place: string, cause: unknown): Error {
  const fault = {
    subject: "source",
    value: place,
    reason: `can't be read by uid ${process.geteuid?.()} (${systemCode(cause)})`,
  };
  return errors.SOURCE_UNREADABLE({ ...fault, remedy: "Let this user read it", cause });
}

function refused(place: string, reason: string): Error {
  const fault = { subject: "source", value: place, reason: `${reason} is never published` };
  return errors.SOURCE_REFUSED({ ...fault, remedy: "Take it out of the source" });
}
