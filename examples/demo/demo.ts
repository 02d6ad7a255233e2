import { rm } from "node:fs/promises";
import { type Guard, postGuard } from "./guard.ts";
import type { Ports } from "./ports.ts";
import { type Ending, Program, type ProgramWatcher } from "./program.ts";
import { type ProgramName, programNames, programSpecs } from "./programs.ts";
import { askForText } from "./request.ts";
import { type Workplace, makeWorkplace } from "./workplace.ts";

export interface DemoOptions {
  readonly ports: Ports;
  readonly temporaryDirectory: string;
  /** The Node that runs everything, and flags for the sidecars' one. */
  readonly runtime: string;
  readonly flags: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly watcher: ProgramWatcher;
}

/** The whole thing while it runs. */
export interface Demo {
  readonly place: Workplace;
  readonly ports: Ports;
  /** Where programs such as git are found. */
  readonly path: string | undefined;
  readonly programs: Readonly<Record<ProgramName, Program>>;
  /** Stops all and removes the directory. @param hurry aborts when nobody wants to wait any longer */
  stop(hurry: AbortSignal): Promise<ReadonlyMap<ProgramName, Ending>>;
}

/** Starts everything: what the app reads has to be there before the app. On failure nothing stays behind. */
export async function startDemo(options: DemoOptions, signal: AbortSignal): Promise<Demo> {
  const path = options.env["PATH"];
  const place = await makeWorkplace(options.temporaryDirectory, path);
  const guard = postGuard(place.directory);
  const specs = programSpecs(place, options.ports, options.flags);
  const programs = Object.fromEntries(
    programNames.map((name) => [name, new Program({ ...options, guard, spec: specs[name] })]),
  ) as Record<ProgramName, Program>;
  const demo: Demo = {
    place,
    path,
    ports: options.ports,
    programs,
    stop: (hurry) => stopAll(programs, place, guard, hurry),
  };
  try {
    await startAll(programs, signal);
    return demo;
  } catch (error) {
    await demo.stop(signal);
    throw error;
  }
}

async function startAll(programs: Demo["programs"], signal: AbortSignal): Promise<void> {
  const { "legacy-app": app, ...sidecars } = programs;
  await Promise.all(Object.values(sidecars).map((sidecar) => sidecar.start(signal)));
  await app.start(signal);
}

/** What a sidecar's readiness probe answers with, such as `ready` or `degraded: …`; nothing when it doesn't answer. */
export async function readiness({ spec }: Program, signal: AbortSignal): Promise<string | undefined> {
  return (await askForText(new URL("/readyz", spec.startedUrl).href, signal))?.text;
}

async function stopAll(
  programs: Demo["programs"],
  place: Workplace,
  guard: Guard,
  hurry: AbortSignal,
): Promise<ReadonlyMap<ProgramName, Ending>> {
  const endings = await Promise.all(
    programNames.map(async (name) => [name, await programs[name].stop(hurry)] as const),
  );
  await rm(place.directory, { recursive: true, force: true, maxRetries: 5 });
  await guard.dismiss();
  return new Map(endings);
}
