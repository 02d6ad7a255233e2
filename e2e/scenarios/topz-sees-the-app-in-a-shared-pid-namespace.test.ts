import { expect } from "vitest";
import { scenario } from "../drivers/scenario.ts";
import { statusLine } from "./parts/asking.ts";
import { noticeboard } from "./parts/noticeboard.ts";
import { processes } from "./parts/processes.ts";

scenario("topz sees the app in a shared PID namespace", { on: ["process", "image", "pod"] }, async ({ start }) => {
  const group = await start(noticeboard("topz", "tls-proxy"));
  await expect.poll(() => statusLine(group, "worker")).toBeDefined();
  const [app, worker] = [Number(await statusLine(group, "pid")), Number(await statusLine(group, "worker"))];
  const command = `server.js --port ${group.places.port("app")}`;

  await expect
    .poll(() => processes(group))
    .toEqual(
      expect.arrayContaining([
        expect.objectContaining({ pid: app, commandLine: expect.stringContaining(command) }),
        expect.objectContaining({ pid: worker, parent: app, commandLine: expect.stringContaining("--worker") }),
      ]),
    );
});
