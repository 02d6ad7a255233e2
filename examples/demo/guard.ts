import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** A process that cleans up when the demo can't: after its kill -9. */
export interface Guard {
  watch(group: number): void;
  forget(group: number): void;
  /** Resolves when it is gone. */
  dismiss(): Promise<void>;
}

/** Starts the guard in a session of its own, which neither the terminal nor Ctrl-C reaches. */
export function postGuard(directory: string): Guard {
  const script = fileURLToPath(new URL("guard-process.ts", import.meta.url));
  const child = spawn(process.execPath, [...process.execArgv, script, directory], {
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
  });
  const gone = once(child, "close");
  child.stdin.on("error", () => {}); // somebody ended the guard: the demo still cleans up by itself
  return {
    watch: (group) => void child.stdin.write(`+${group}\n`),
    forget: (group) => void child.stdin.write(`-${group}\n`),
    async dismiss() {
      child.stdin.end();
      await gone;
    },
  };
}
