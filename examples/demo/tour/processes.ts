import { ask } from "../request.ts";
import { until } from "../until.ts";
import { appStatus } from "./app.ts";
import { type Step, check } from "./step.ts";

interface Row {
  readonly pid: number;
  readonly parent: number;
  readonly name: string;
  readonly cpuPercent: number | null;
  readonly commandLine: string;
}

export const processesStep: Step = {
  title: "topz lists the app's processes with names, command lines and CPU",
  concerns: ["topz", "legacy-app"],
  limit: 20_000,
  async run(demo, signal) {
    const { pid, worker } = await appStatus(demo, signal);
    const busy = await until(async () => {
      const rows = await processes(demo.ports.topz, signal);
      const found = rows.find((row) => row.pid === worker);
      return (found?.cpuPercent ?? 0) > 0 && { worker: found, master: rows.find((row) => row.pid === pid) };
    }, signal);
    const { script } = demo.programs["legacy-app"].spec;
    for (const [who, row] of Object.entries(busy)) {
      check(row !== undefined && row.name !== "", `the ${who} is not listed, or has no name`);
      check(row.commandLine.includes(script), `the ${who}'s command line is ${row.commandLine}`);
    }
    check(busy.worker?.parent === pid, `the worker's parent is ${busy.worker?.parent}, and the app is ${pid}`);
    const { body } = await ask(`http://127.0.0.1:${demo.ports.topz}/topz`, signal);
    check(body.includes(script), "/topz doesn't show the app");
  },
};

async function processes(port: number, signal: AbortSignal): Promise<readonly Row[]> {
  const { status, body } = await ask(`http://127.0.0.1:${port}/api/v1/processes`, signal);
  return status === 200 ? (JSON.parse(body.toString()) as { processes: readonly Row[] }).processes : [];
}
