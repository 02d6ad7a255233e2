import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { vi } from "vitest";
import { startTcpApp } from "./start-tcp.ts";

/** A program of somebody else's that serves a port. */
export interface Daemon extends AsyncDisposable {
  readonly port: number;
}

/** Where it is to work. */
export interface Place {
  readonly directory: string;
  readonly port: number;
}

/**
 * Starts a real server in the foreground, on a free port, and waits until it is connected to.
 * @param configure makes the text of its configuration
 * @param words its arguments, given the configuration's path
 */
export async function startDaemon(
  program: string,
  configure: (place: Place) => string,
  words: (file: string, place: Place) => string[],
): Promise<Daemon> {
  const directory = await mkdtemp(join(tmpdir(), `${program}-`));
  const reserved = await startTcpApp(() => {});
  await reserved[Symbol.asyncDispose]();
  const place = { directory, port: reserved.port };
  const file = join(directory, `${program}.conf`);
  await writeFile(file, configure(place));
  const child = spawn(program, words(file, place), { stdio: "ignore" });
  const exited = once(child, "exit");
  await vi.waitFor(async () => {
    const socket = connect(place.port, "127.0.0.1");
    await once(socket, "connect").finally(() => socket.destroy());
  }, 10_000);
  return {
    port: place.port,
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await exited;
      await rm(directory, { recursive: true });
    },
  };
}
