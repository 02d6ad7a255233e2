import { readiness } from "../demo.ts";
import { until } from "../until.ts";
import { appStatus } from "./app.ts";
import { askHttps } from "./https.ts";
import { type Step, check } from "./step.ts";

export const killedSidecarsStep: Step = {
  title: "killed sidecars come back, and the app answers throughout",
  concerns: ["tls-proxy", "topz", "repo-updater", "config-sync"],
  limit: 30_000,
  async run(demo, signal) {
    const before = await appStatus(demo, signal);
    const { "legacy-app": app, ...others } = demo.programs;
    const sidecars = Object.values(others).map((program) => ({ program, pid: program.pid }));
    for (const { pid } of sidecars) if (pid !== undefined) process.kill(pid, "SIGKILL");
    await until(async () => {
      const { pid } = await appStatus(demo, signal); // rejects, and so fails, as soon as the app doesn't answer
      check(pid === before.pid && app.pid === pid, `the app was ${before.pid} and is now ${pid}: it has restarted`);
      const back = sidecars.map(
        async ({ program, pid: old }) => program.pid !== old && (await readiness(program, signal)) === "ready",
      );
      return (await Promise.all(back)).every(Boolean);
    }, signal);
    const { status } = await askHttps(demo, "/", signal);
    check(status === 200, `HTTPS answers with ${status}`);
  },
};
