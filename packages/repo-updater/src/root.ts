import { constants } from "node:fs";
import { access, realpath, stat } from "node:fs/promises";
import { type Server, createServer } from "node:net";
import { makeDirectory, messageOf, systemCode } from "@pillion/kit";
import { errors } from "./errors.ts";

/** A root that no other repo-updater works in. */
export interface ClaimedRoot extends AsyncDisposable {
  /** Absolute, free of links. */
  readonly path: string;
}

/**
 * Makes the directory if it is missing, checks that it is writable, and claims it.
 *
 * @throws ROOT_UNUSABLE, ROOT_IN_USE
 */
export async function claimRoot(root: string): Promise<ClaimedRoot> {
  try {
    await makeDirectory(root);
    await access(root, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (cause) {
    const who = process.getuid ? ` by uid ${process.getuid()}` : "";
    const remedy = `Give a directory that is writable${who}`;
    throw errors.ROOT_UNUSABLE({ subject: "--root", value: root, reason: messageOf(cause), remedy });
  }
  const path = await realpath(root);
  const lock = await claim(path);
  return {
    path,
    [Symbol.asyncDispose]: async () => {
      if (lock) await new Promise((resolve) => lock.close(resolve));
    },
  };
}

/**
 * An abstract socket (unix(7)) is a lock that the kernel frees when its process is gone, however it went: nothing stale
 * is left after kill -9. It holds within one network namespace, such as a pod. Other systems than Linux have none.
 */
async function claim(root: string): Promise<Server | undefined> {
  if (process.platform !== "linux") return undefined;
  const { dev, ino } = await stat(root, { bigint: true });
  const server = createServer((socket) => socket.destroy());
  server.unref();
  return await new Promise((resolve, reject) => {
    server.once("error", (error) => reject(systemCode(error) === "EADDRINUSE" ? inUse(root) : error));
    server.listen(`\0pillion/repo-updater/${dev}:${ino}`, () => resolve(server));
  });
}

function inUse(root: string): Error {
  const remedy = "Give each its own root, or stop the other one";
  return errors.ROOT_IN_USE({ subject: "--root", value: root, reason: "another repo-updater works in it", remedy });
}
