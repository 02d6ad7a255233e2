import { expect } from "vitest";
import { scenario } from "../drivers/scenario.ts";
import { metric, readiness, statusLine } from "./parts/asking.ts";
import { greet } from "./parts/configuration.ts";
import { noticeboard } from "./parts/noticeboard.ts";

scenario(
  "a configuration change is signalled to the app, which has the same uid and another container",
  { on: ["process", "image", "pod"] },
  async ({ start }) => {
    const group = await start(noticeboard("config-sync", "tls-proxy"));
    await expect.poll(() => statusLine(group, "greeting")).toBe("Good morning, harbor");
    const [pid, started] = [await statusLine(group, "pid"), await statusLine(group, "started")];

    await greet(group, "Fog on the river");
    await expect.poll(() => statusLine(group, "greeting")).toBe("Fog on the river");
    await expect.poll(() => readiness(group, "config-sync")).toBe("200 ready");
    expect(await metric(group, "config-sync", 'config_sync_notifications_total{outcome="signalled"}')).toBe("1");
    // the same process read it again: nobody restarted it
    expect([await statusLine(group, "pid"), await statusLine(group, "started")]).toEqual([pid, started]);
  },
);
