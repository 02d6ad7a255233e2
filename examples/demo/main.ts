import { tmpdir } from "node:os";
import { messageOf } from "@pillion/kit";
import { helpText, parseArguments } from "./arguments.ts";
import { type Demo, startDemo } from "./demo.ts";
import { eventsOf } from "./events.ts";
import { watchLaunchers } from "./launchers.ts";
import { reservePorts } from "./ports.ts";
import { writeEvent } from "./screen.ts";
import { runTour } from "./tour.ts";
import { welcome } from "./welcome.ts";

/** npm passes a Ctrl-C on that the terminal has sent us already: that is one request. Milliseconds. */
const SAME_REQUEST = 500;

process.exit(await main(process.argv.slice(2)));

/** @returns the exit code: 0 ended cleanly, 1 failed, 2 called wrongly */
async function main(argv: readonly string[]): Promise<number> {
  if (process.platform === "win32")
    return fail("the demo uses signals and process groups. Run it under WSL, or with docker compose", 1);
  const asked = parseArguments(argv);
  if ("problems" in asked) return fail(asked.problems.join("\n  "), 2);
  if (asked.help) return say(helpText());
  const reserved = await reservePorts(asked.ports);
  if ("problems" in reserved) return fail([...reserved.problems, "Nothing was started."].join("\n  "), 1);
  const { stop, hurry } = stopRequests();
  const start = (watcher: ReturnType<typeof eventsOf>) =>
    startDemo(
      {
        ports: reserved.ports,
        temporaryDirectory: tmpdir(),
        runtime: process.execPath,
        flags: process.execArgv,
        env: environment(process.env),
        watcher,
      },
      stop,
    );
  try {
    return asked.tour ? await runTour(start, process.stdout, { stop, hurry }) : await show(start, stop, hurry);
  } catch (error) {
    return stop.aborted ? say("Stopped.") : fail(messageOf(error), 1);
  }
}

async function show(
  start: (watcher: ReturnType<typeof eventsOf>) => Promise<Demo>,
  stop: AbortSignal,
  hurry: AbortSignal,
): Promise<number> {
  say("Starting …");
  const demo = await start(eventsOf((event) => stop.aborted || writeEvent(process.stdout, event)));
  say(welcome(demo));
  await new Promise<void>((resolve) => {
    stop.addEventListener("abort", () => resolve());
    if (stop.aborted) resolve();
  });
  say("\nStopping …");
  const endings = await demo.stop(hurry);
  const unclean = [...endings]
    .filter(([, ending]) => ending !== 0)
    .map(([name, ending]) => `${name} ended with ${ending}`);
  say(["All stopped, nothing left behind.", ...unclean].join("\n"));
  return unclean.length === 0 ? 0 : 1;
}

/** `stop`: Ctrl-C, SIGTERM, a closed terminal, or whoever started us is gone. `hurry`: asked for a second time. */
function stopRequests(): { stop: AbortSignal; hurry: AbortSignal } {
  const [stop, hurry] = [new AbortController(), new AbortController()];
  let first = Infinity;
  const request = () => {
    first = Math.min(first, performance.now());
    if (performance.now() - first > SAME_REQUEST) hurry.abort();
    stop.abort(new Error("stopped"));
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, request);
  // whoever read what we write is gone: a closed terminal, or `| head`
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => stop.abort(new Error("stopped")));
  const launched = watchLaunchers(process.pid, () => process.ppid);
  setInterval(() => void (launched() || stop.abort(new Error("stopped"))), 250).unref();
  return { stop: stop.signal, hurry: hurry.signal };
}

/** What the programs may see of ours: their options are their flags, whatever variables happen to be set here. */
function environment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const names = ["PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR"];
  return Object.fromEntries(names.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])));
}

function say(text: string): number {
  process.stdout.write(`${text}\n`);
  return 0;
}

function fail(text: string, code: number): number {
  process.stderr.write(`demo: ${text}\n`);
  return code;
}
