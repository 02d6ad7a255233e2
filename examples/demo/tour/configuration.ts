import { readiness } from "../demo.ts";
import type { Demo } from "../demo.ts";
import { until } from "../until.ts";
import { appStatus, editConfig } from "./app.ts";
import { askHttps } from "./https.ts";
import { type Step, check } from "./step.ts";

const concerns = ["config-sync", "legacy-app"] as const;

export const configurationSteps: readonly Step[] = [
  {
    title: "an edited configuration file takes effect in the app without a restart",
    concerns,
    limit: 20_000,
    async run(demo, signal) {
      const before = await appStatus(demo, signal);
      await editConfig(demo, greet("Good evening, harbor"));
      await greets(demo, "Good evening, harbor", signal);
      check(
        (await askHttps(demo, "/", signal)).body.includes("Good evening, harbor"),
        "the page doesn't greet as configured",
      );
      const { pid } = await appStatus(demo, signal);
      check(pid === before.pid, `the app was ${before.pid} and is now ${pid}: it has restarted`);
      await ready(demo, signal);
    },
  },
  {
    title: "a broken configuration file is refused with its line, and the app keeps the old one",
    concerns,
    limit: 20_000,
    async run(demo, signal) {
      const before = await appStatus(demo, signal);
      await editConfig(demo, (text) => greet("Good night, harbor")(text).replace("</noticeboard>", "</notice"));
      const said = await until(
        async () => (await readiness(demo.programs["config-sync"], signal))?.match(/^degraded: .*/s)?.[0],
        signal,
      );
      check(/app\.xml\D+\d+/.test(said), `config-sync names no file and line: ${said}`);
      const after = await appStatus(demo, signal);
      check(
        after.greeting === before.greeting && after.pid === before.pid,
        `the app now says ${JSON.stringify(after)}`,
      );
    },
  },
  {
    title: "mended, it takes effect, and config-sync is well again",
    concerns,
    limit: 20_000,
    async run(demo, signal) {
      await editConfig(demo, (text) => text.replace(/<\/notice\s*$/, "</noticeboard>\n"));
      await greets(demo, "Good night, harbor", signal);
      await ready(demo, signal);
    },
  },
  {
    title: "a well-formed configuration that the app dies of is rolled back",
    concerns,
    limit: 30_000,
    async run(demo, signal) {
      const before = await appStatus(demo, signal);
      await editConfig(demo, (text) => text.replace('seconds="0"', 'seconds="many"'));
      await until(async () => (await restartedApp(demo, before.pid, signal))?.greeting === before.greeting, signal);
      const said = await until(
        async () => (await readiness(demo.programs["config-sync"], signal))?.match(/^degraded: .*/s)?.[0],
        signal,
      );
      await editConfig(demo, (text) => text.replace('seconds="many"', 'seconds="5"'));
      await until(async () => (await askHttps(demo, "/", signal)).headers["cache-control"] === "max-age=5", signal);
      await ready(demo, signal);
      check(said.length > 0, "config-sync gave no reason");
    },
  },
];

const greet = (greeting: string) => (text: string) => text.replace(/(?<=<greeting>)[^<]*/, greeting);

async function greets(demo: Demo, greeting: string, signal: AbortSignal): Promise<void> {
  await until(async () => (await appStatus(demo, signal)).greeting === greeting, signal);
}

async function ready(demo: Demo, signal: AbortSignal): Promise<void> {
  await until(async () => (await readiness(demo.programs["config-sync"], signal)) === "ready", signal);
}

/** The app after its death, or nothing while it is dead or hasn't died yet. */
async function restartedApp(demo: Demo, before: number, signal: AbortSignal) {
  const status = await appStatus(demo, signal).catch(() => undefined);
  return status?.pid === before ? undefined : status;
}
