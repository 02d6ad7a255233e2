import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { git } from "../git.ts";
import { until } from "../until.ts";
import { askHttps } from "./https.ts";
import { type Step, check } from "./step.ts";

export const contentStep: Step = {
  title: "a commit that is pushed to the repository appears on the HTTPS page",
  concerns: ["repo-updater", "legacy-app"],
  limit: 20_000,
  async run(demo, signal) {
    const { website } = demo.place;
    const path = join(website, "index.html");
    const before = await readFile(path, "utf8");
    const notice = "Fog until noon: sound your horn.";
    check(!before.includes(notice), "the notice was there before");
    await writeFile(path, before.replace("Crane 2 is out of service", notice));
    await git(website, demo.path, "commit", "--quiet", "--all", "--message=Fog");
    await git(website, demo.path, "push", "--quiet");
    await until(async () => (await askHttps(demo, "/", signal)).body.includes(notice), signal);
  },
};
