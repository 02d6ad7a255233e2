import { docker } from "../../drivers/engine.ts";

/** The exit codes of a project's containers that have ended since then (milliseconds of the epoch), by service. */
export async function deathsSince(since: number, project: string): Promise<Record<string, number>> {
  const span = [`--since=${since / 1000}`, `--until=${Date.now() / 1000}`];
  const filters = ["event=die", `label=com.docker.compose.project=${project}`].map((each) => `--filter=${each}`);
  const lines = (await docker("events", ...span, ...filters, "--format={{json .Actor.Attributes}}")).split("\n");
  const deaths = lines.filter(Boolean).map((line) => JSON.parse(line) as Record<string, string>);
  return Object.fromEntries(
    deaths.map((death) => [death["com.docker.compose.service"] ?? "", Number(death["exitCode"])]),
  );
}
