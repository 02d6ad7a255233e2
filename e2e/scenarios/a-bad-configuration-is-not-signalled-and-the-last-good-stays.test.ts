import { expect } from "vitest";
import { scenario } from "../drivers/scenario.ts";
import { metric, readiness, statusLine } from "./parts/asking.ts";
import { editConfiguration, greet } from "./parts/configuration.ts";
import { noticeboard } from "./parts/noticeboard.ts";

scenario(
  "a bad configuration is not signalled, and the last good one stays",
  { on: ["process", "image", "pod"] },
  async ({ start }) => {
    const group = await start(noticeboard("config-sync", "tls-proxy"));
    const signalled = () => metric(group, "config-sync", 'config_sync_notifications_total{outcome="signalled"}');
    const loaded = async () => (await group.log("app")).match(/configuration .* loaded/g)?.length ?? 0;
    await expect.poll(() => statusLine(group, "greeting")).toBe("Good morning, harbor");
    await greet(group, "Fog on the river");
    await expect.poll(() => statusLine(group, "greeting")).toBe("Fog on the river");
    await expect.poll(() => readiness(group, "config-sync")).toBe("200 ready");

    await editConfiguration(group, (text) => text.replace("Fog on the river</greeting>", "Storm</greetings>"));
    await expect.poll(() => readiness(group, "config-sync")).toMatch(/^200 degraded: configuration: .*app\.xml.*4/);
    expect([await signalled(), await loaded()]).toEqual(["1", 1]);
    expect(await statusLine(group, "greeting")).toBe("Fog on the river");

    await editConfiguration(group, (text) => text.replace("</greetings>", "</greeting>"));
    await expect.poll(() => statusLine(group, "greeting")).toBe("Storm");
    await expect.poll(() => readiness(group, "config-sync")).toBe("200 ready");
  },
);
