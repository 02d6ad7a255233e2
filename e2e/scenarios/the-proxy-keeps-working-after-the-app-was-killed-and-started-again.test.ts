import { expect } from "vitest";
import { scenario } from "../drivers/scenario.ts";
import { askHttps, metric, readiness, statusLine } from "./parts/asking.ts";
import { noticeboard } from "./parts/noticeboard.ts";

scenario(
  "the proxy keeps working after the app was killed and started again",
  { on: ["process", "image", "pod"] },
  async ({ start }) => {
    const group = await start(noticeboard("tls-proxy"));
    const began = () => metric(group, "tls-proxy", "process_start_time_seconds");
    await expect.poll(() => statusLine(group, "pid")).toBeDefined();
    const [before, app] = [await began(), await statusLine(group, "started")];

    await group.kill("app", "SIGKILL");
    expect(await group.ended("app")).toMatchObject({ code: 137 });
    const { status, headers } = await askHttps(group, "/");
    expect(status).toBe(503);
    expect(Number(headers["retry-after"])).toBeGreaterThan(0);
    expect(await readiness(group, "tls-proxy")).toMatch(/^200 degraded: app: /);

    const held = askHttps(group, "/");
    await group.start("app");
    expect((await held).status).toBe(200);
    await expect.poll(() => statusLine(group, "started")).toBeDefined();
    expect(await statusLine(group, "started")).not.toBe(app);
    expect(await readiness(group, "tls-proxy")).toBe("200 ready");
    expect(await began()).toBe(before);
  },
);
