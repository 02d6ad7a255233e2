import { existsSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";

const PATIENCE = 15_000;

/** Looks each millisecond whether there is such a process, a zombie among them. @throws Error after 15 seconds */
export async function untilGone(pid: number): Promise<void> {
  const deadline = performance.now() + PATIENCE;
  while (existsSync(`/proc/${pid}`)) {
    if (performance.now() > deadline) throw new Error(`process ${pid} is there ${PATIENCE / 1000} s after SIGTERM`);
    await wait(1);
  }
}
