import { existsSync } from "node:fs";
import { type ProcessIdentity, identify, stillRunning } from "@pillion/procfs";
import type { Demo } from "../demo.ts";
import { reservePorts } from "../ports.ts";
import { until } from "../until.ts";
import { appStatus } from "./app.ts";
import { type Step, check } from "./step.ts";

/** @param hurry aborts when nobody wants to wait for an orderly end */
export function endStep(hurry: AbortSignal): Step {
  return {
    title: "everything stops cleanly: no process, port or file is left",
    concerns: ["legacy-app", "tls-proxy", "topz", "repo-updater", "config-sync"],
    limit: 20_000,
    async run(demo, signal) {
      const processes = await running(demo, signal);
      const endings = await demo.stop(hurry);
      for (const [name, ending] of endings) check(ending === 0, `${name} ended with ${ending}`);
      await until(() => !processes.some((process) => stillRunning(process)), signal);
      const free = await reservePorts(demo.ports);
      check("ports" in free, "problems" in free ? free.problems.join("; ") : "");
      check(!existsSync(demo.place.directory), `${demo.place.directory} is still there`);
    },
  };
}

async function running(demo: Demo, signal: AbortSignal): Promise<readonly ProcessIdentity[]> {
  const app = await appStatus(demo, signal).catch(() => undefined);
  const pids = [...Object.values(demo.programs).map(({ pid }) => pid), app?.worker];
  return pids.flatMap((pid) => (pid === undefined ? [] : (identify(pid) ?? [])));
}
