import { type ChildProcessByStdio, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { type Spawned, type StartedSidecar, spawnScript } from "@pillion/kit/testing";

export const bin = join(import.meta.dirname, "../bin/config-sync.js");
const fixtures = join(import.meta.dirname, "fixtures");

/** A source and a target of a test's own. `using` removes them. */
export interface Places extends Disposable {
  readonly root: string;
  readonly source: string;
  readonly target: string;
  /** Writes in place. */
  write(path: string, text: string): void;
  /** Writes beside it and renames over it, as most editors do. */
  replace(path: string, text: string): void;
  /** What a reader of the target finds. */
  read(path: string): string | undefined;
  /** The names of the generations that are there. */
  generations(): string[];
}

export function makePlaces({ source = true } = {}): Places {
  const root = mkdtempSync(join(tmpdir(), "config-sync-"));
  const at = (path: string) => join(root, "source", path);
  if (source) mkdirSync(at(""));
  return {
    root,
    source: at(""),
    target: join(root, "target"),
    write(path, text) {
      mkdirSync(dirname(at(path)), { recursive: true });
      writeFileSync(at(path), text);
    },
    replace(path, text) {
      writeFileSync(at(`${path}.new~`), text);
      renameSync(at(`${path}.new~`), at(path));
    },
    read(path) {
      try {
        return readFileSync(join(root, "target", path), "utf8");
      } catch {
        return undefined;
      }
    },
    generations: () => readdirSync(join(root, "target")).filter((name) => /^\.\.\d{6}-/.test(name)),
    [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true }),
  };
}

/** Publishes a directory as the kubelet does: a new timestamped directory, and `..data` renamed over. */
export function swapVolume(volume: string, version: string, files: Readonly<Record<string, string>>): void {
  const name = `..${version}`;
  mkdirSync(join(volume, name), { recursive: true });
  for (const [path, text] of Object.entries(files)) writeFileSync(join(volume, name, path), text);
  symlinkSync(name, join(volume, "..data_tmp"));
  renameSync(join(volume, "..data_tmp"), join(volume, "..data"));
  for (const path of Object.keys(files)) {
    if (!lstatSync(join(volume, path), { throwIfNoEntry: false }))
      symlinkSync(join("..data", path), join(volume, path));
  }
}

export interface TestApp extends Spawned {
  /** What names this app and no other. */
  readonly query: string;
  /** Starts another process that answers the same query. */
  again(): TestApp;
}

/** Starts the app that reads `app.json` in the target, which has to be there. */
export function startApp({ target }: Places, ...words: readonly string[]): TestApp {
  return startAppWith(target, randomUUID(), words);
}

function startAppWith(target: string, token: string, words: readonly string[]): TestApp {
  const spawned = spawnScript(join(fixtures, "app.cjs"), [join(target, "app.json"), token, ...words]);
  return { ...spawned, query: `cmdline=app\\.cjs .*${token}`, again: () => startAppWith(target, token, words) };
}

export function startReader({ target }: Places): Spawned {
  return spawnScript(join(fixtures, "reader.cjs"), [target]);
}

/** Runs the command as another user. */
export function runAs(uid: number, args: readonly string[]): ChildProcessByStdio<null, Readable, null> {
  const command = ["--conditions=@pillion/source", join(fixtures, "as-user.ts"), ...args];
  return spawn(process.execPath, command, { env: { AS_USER: `${uid}` }, stdio: ["ignore", "pipe", "inherit"] });
}

/** Waits until a condition holds; says what it was when that takes too long. */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  milliseconds = 15_000,
): Promise<void> {
  const end = performance.now() + milliseconds;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`not within ${milliseconds} ms: ${what}`);
    await delay(10);
  }
}

export async function untilReady(sidecar: StartedSidecar, text: string | RegExp): Promise<void> {
  let last = "";
  const says = async () => {
    last = (await sidecar.get("/readyz")).text;
    return typeof text === "string" ? last.trim() === text : text.test(last);
  };
  await until(`/readyz says ${text}`, says).catch((error: unknown) => {
    throw new Error(`it says ${last}`, { cause: error });
  });
}

/** The value of a metric's sample, such as `config_sync_generations_total` or one with labels; 0 when there is none. */
export async function metric(sidecar: StartedSidecar, sample: string): Promise<number> {
  const { text } = await sidecar.get("/metrics");
  const line = text.split("\n").find((one) => one.startsWith(`${sample} `));
  return line === undefined ? 0 : Number(line.slice(sample.length + 1));
}
