import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, test } from "vitest";
import { killMarked } from "./marked-processes.ts";

test.skipIf(process.platform !== "linux")(
  "kills what carries the mark, with its children, and nothing else",
  async () => {
    const start = (mark: string) =>
      spawn("sh", ["-c", "sleep 60 & echo $!; wait"], {
        env: { PATH: process.env["PATH"], MARK: mark },
        stdio: ["ignore", "pipe", "ignore"],
      });
    const [ours, longer] = [start(`${process.pid}a`), start(`${process.pid}ab`)];
    await once(ours.stdout, "data");
    await once(longer.stdout, "data");
    const ended = once(ours, "exit");
    expect(await killMarked(`MARK=${process.pid}a`)).toBe(2);
    expect(await ended).toEqual([null, "SIGKILL"]);
    expect(longer.exitCode ?? longer.signalCode).toBe(null);
    expect(await killMarked(`MARK=${process.pid}a`)).toBe(0);
    expect(await killMarked(`MARK=${process.pid}ab`)).toBe(2);
  },
);
