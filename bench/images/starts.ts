import type { Found, Task } from "./inside.ts";
import type { BenchEngine } from "./bench-engine.ts";
import { untilGone } from "./until-gone.ts";
import { READY_PORT, type Subject, argumentsOf, isSidecar } from "./subjects.ts";

const PROBES = 20;

/** Milliseconds from fork to ready by the image's own Node, and of CPU time of a probe. Nothing where there is no Node. */
export async function startInside(engine: BenchEngine, subject: Subject, times: number): Promise<Found | undefined> {
  if (subject.program === "nginx") return undefined;
  const task: Task = {
    program: subject.program,
    runs: Array.from({ length: times + 1 }, (_, index) => argumentsOf(subject, `/data/${index}`)),
    port: READY_PORT,
    probes: isSidecar(subject) ? PROBES : 0,
  };
  const answer = await engine.runInside(subject, "/usr/local/bin/node", "/bench/inside.ts", JSON.stringify(task));
  return JSON.parse(answer);
}

/** Milliseconds, each as often as it was measured. */
export interface Lives {
  readonly returned: number[];
  readonly ready: number[];
  /** From SIGTERM to where the process is gone. */
  readonly ended: number[];
  readonly exitCodes: Set<number>;
  /** Of `docker stop`. */
  readonly stopped: number[];
}

/** Starts and ends containers: every other by SIGTERM from here, the rest by `docker stop`. The first is not counted. */
export async function liveThroughEngine(engine: BenchEngine, subject: Subject, times: number): Promise<Lives> {
  const lives: Lives = { returned: [], ready: [], ended: [], exitCodes: new Set(), stopped: [] };
  await engine.remove(await engine.start(subject));
  for (let time = 0; time < times; time++) {
    const container = await engine.start(subject);
    lives.returned.push(container.returned);
    lives.ready.push(container.ready);
    await engine.wait(500); // what a program does just after its start is no part of its end
    const began = performance.now();
    if (time % 2 === 0) {
      process.kill(container.pid, "SIGTERM");
      await untilGone(container.pid);
      lives.ended.push(performance.now() - began);
    } else {
      await engine.docker("stop", container.id);
      lives.stopped.push(performance.now() - began);
    }
    lives.exitCodes.add(Number(await engine.docker("wait", container.id)));
    await engine.remove(container);
  }
  return lives;
}
