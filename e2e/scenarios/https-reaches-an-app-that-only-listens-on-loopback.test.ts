import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "vitest";
import { scenario } from "../drivers/scenario.ts";
import { ask } from "./parts/ask.ts";
import { askHttps } from "./parts/asking.ts";
import { noticeboard } from "./parts/noticeboard.ts";

scenario(
  "HTTPS reaches an app that only listens on loopback",
  { on: ["process", "image", "pod"] },
  async ({ start }) => {
    const group = await start(noticeboard("tls-proxy"));
    await expect.poll(async () => (await askHttps(group, "/status")).status).toBe(200);
    const { status, text } = await askHttps(group, "/style.css");
    expect(status).toBe(200);
    expect(text).toBe(await readFile(join(group.places.directory, "website/style.css"), "utf8"));

    const untrusted = ask(`https://${group.address("https")}/`);
    await expect(untrusted).rejects.toMatchObject({ code: expect.stringMatching(/SELF_SIGNED|UNABLE_TO/) });
  },
);
