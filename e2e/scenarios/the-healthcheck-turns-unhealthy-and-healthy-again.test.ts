import { rename } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "vitest";
import { scenario } from "../drivers/scenario.ts";
import { readiness } from "./parts/asking.ts";
import { noticeboard } from "./parts/noticeboard.ts";

const on = ["process", "image", "pod"] as const;
const healthInterval = "1s";

/** repo-updater stands behind an init, which would be stopped in its place. */
const inspected = ["topz", "tls-proxy", "config-sync"] as const;

scenario("the healthcheck turns unhealthy when a sidecar hangs, and healthy again", { on }, async ({ start }) => {
  const group = await start({ ...noticeboard(...inspected), healthInterval });
  const health = () => Promise.all(inspected.map((sidecar) => group.health(sidecar)));
  await expect.poll(health).toEqual(["healthy", "healthy", "healthy"]);
  await Promise.all(inspected.map((sidecar) => group.kill(sidecar, "SIGSTOP")));
  await expect.poll(health).toEqual(["unhealthy", "unhealthy", "unhealthy"]);
  await Promise.all(inspected.map((sidecar) => group.kill(sidecar, "SIGCONT")));
  await expect.poll(health).toEqual(["healthy", "healthy", "healthy"]);
});

scenario("the healthcheck is unhealthy until there is something good, and healthy then", { on }, async ({ start }) => {
  const { app: _, ...plan } = noticeboard("repo-updater");
  const group = await start({
    ...plan,
    healthInterval,
    async prepare(places) {
      await plan.prepare?.(places);
      await rename(join(places.directory, "website.git"), join(places.directory, "later.git"));
    },
  });
  await expect.poll(() => readiness(group, "repo-updater")).toMatch(/^503 starting: .*website\.git/);
  await expect.poll(() => group.health("repo-updater")).toBe("unhealthy");
  const { directory } = group.places;
  await rename(join(directory, "later.git"), join(directory, "website.git"));
  await group.kill("repo-updater", "SIGHUP"); // at once, not after the wait that grew meanwhile
  await expect.poll(() => group.health("repo-updater")).toBe("healthy");
});
