import { styleText } from "node:util";
import { messageOf } from "@pillion/kit";
import type { Demo } from "./demo.ts";
import type { Program, ProgramWatcher } from "./program.ts";
import type { Screen } from "./screen.ts";
import { configurationSteps } from "./tour/configuration.ts";
import { contentStep } from "./tour/content.ts";
import { endStep } from "./tour/end.ts";
import { httpsSteps } from "./tour/https.ts";
import { killedSidecarsStep } from "./tour/killed-sidecars.ts";
import { processesStep } from "./tour/processes.ts";
import type { Step } from "./tour/step.ts";

const steps: readonly Step[] = [...httpsSteps, processesStep, contentStep, ...configurationSteps, killedSidecarsStep];

export interface StopRequests {
  readonly stop: AbortSignal;
  readonly hurry: AbortSignal;
}

const SILENT: ProgramWatcher = { line() {}, ended() {}, restarted() {} };
const LAST_LINES = 8;

/** Does what a person would do, a line a step, and stops at the first step that fails. @returns the exit code */
export async function runTour(
  start: (watcher: ProgramWatcher) => Promise<Demo>,
  screen: Screen,
  requests: StopRequests,
): Promise<number> {
  const begun = performance.now();
  const demo = await start(SILENT);
  screen.write(line("ok", "the app and four sidecars have started", begun));
  let fine = true;
  for (const step of steps) fine &&= await take(step, demo, screen, requests.stop);
  fine = (await take(endStep(requests.hurry), demo, screen, AbortSignal.any([]))) && fine;
  const time = seconds(begun);
  screen.write(
    fine
      ? `\nThe tour was fine. ${time}\n`
      : requests.stop.aborted
        ? "\nThe tour was stopped.\n"
        : `\nThe tour has failed. ${time}\n`,
  );
  return fine ? 0 : 1;
}

async function take(
  { title, concerns, limit, run }: Step,
  demo: Demo,
  screen: Screen,
  stop: AbortSignal,
): Promise<boolean> {
  const begun = performance.now();
  const overdue = AbortSignal.timeout(limit);
  const signal = AbortSignal.any([stop, overdue]);
  try {
    await Promise.race([run(demo, signal), aborted(signal)]);
    screen.write(line("ok", title, begun));
    return true;
  } catch (error) {
    if (stop.aborted) return false;
    const why = overdue.aborted ? `it took longer than ${limit / 1000} s` : messageOf(error);
    const logs = concerns.map((name) => lastLines(demo.programs[name]));
    screen.write([line("FAIL", title, begun).trimEnd(), `     ${why}`, ...logs, ""].join("\n"));
    return false;
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) =>
    signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true }),
  );
}

function line(outcome: "ok" | "FAIL", title: string, begun: number): string {
  return `${styleText(outcome === "ok" ? "green" : "red", outcome.padEnd(5))}${title}   ${styleText("dim", seconds(begun))}\n`;
}

function seconds(begun: number): string {
  return `${((performance.now() - begun) / 1000).toFixed(1)} s`;
}

function lastLines(program: Program): string {
  return [
    `     last lines of ${program.spec.name}:`,
    ...program.lastLines(LAST_LINES).map((text) => `       ${text}`),
  ].join("\n");
}
