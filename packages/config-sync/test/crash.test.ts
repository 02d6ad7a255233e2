import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { spawnScript, startSidecar } from "@pillion/kit/testing";
import { expect, test } from "vitest";
import { configSync } from "../src/index.ts";
import { type Places, type TestApp, bin, makePlaces, startApp, until, untilReady } from "./harness.ts";

const value = (text: string) => JSON.stringify({ value: text });
const follow = ({ source, target }: Places, { query }: TestApp) =>
  startSidecar(configSync({ source, target, notify: "signal:HUP", process: query, settle: "300ms" }));

/** An app that lives with `one`, and a source that holds something else. */
async function prepare(places: Places, next: string): Promise<TestApp> {
  places.write("app.json", value("one"));
  await using first = await startSidecar(configSync({ source: places.source, target: places.target }));
  await untilReady(first, "ready");
  const app = startApp(places);
  await app.says(/started one/);
  places.write("app.json", value(next));
  return app;
}

async function crashAt({ source, target }: Places, { query }: TestApp, step: string): Promise<void> {
  await using crashing = spawnScript(join(import.meta.dirname, "crash-at.ts"), [source, target, query, step]);
  expect(await crashing.exited, crashing.output()).toBe("SIGKILL");
}

// What the app is told before the crash and after it: only a signal that was sent but not marked is sent again.
test.each([
  ["publish", "readers see it, and nobody knows yet", 1],
  ["write:1", "it is published", 1],
  ["tell", "the app was told, and that isn't marked yet", 2],
  ["write:2", "that is marked", 1],
  ["lives", "the app has shown that it lives, and that isn't marked yet", 1],
  ["write:3", "it is committed", 1],
])("killed after %s (%s), the next start finishes and loses no notification", async (step, _when, times) => {
  using places = makePlaces();
  await using app = await prepare(places, "two");
  await crashAt(places, app, step);
  await using sidecar = await follow(places, app);
  await until("the app was told", () => app.output().includes("reloaded two"));
  if (step !== "write:3") await until("it is in force", () => sidecar.log.some(({ msg }) => msg === "in force"));
  await untilReady(sidecar, "ready");
  await until("told as often as it has to be", () => app.output().match(/reloaded two/g)?.length === times);
  expect(places.read("app.json")).toBe(value("two"));
});

test.each([
  ["write:3", "what the app died of is in quarantine"],
  ["republish", "readers see the last good again"],
])("killed after %s (%s), the next start goes back to the last good", async (step) => {
  using places = makePlaces();
  await using app = await prepare(places, "deadly");
  await crashAt(places, app, step);
  expect(await app.exited).toBe(3);
  await using sidecar = await follow(places, app);
  await until("the last good is back", () => places.read("app.json") === value("one"));
  await untilReady(sidecar, /degraded: configuration: .* died within/);
  await using second = app.again();
  await second.says(/started one/);
  await until("that is in force", () => sidecar.log.some(({ msg }) => msg === "in force"));
});

test("started again while the newest is refused, it is degraded, not starting", async () => {
  using places = makePlaces();
  await using app = await prepare(places, "two");
  places.write("app.json", "{");
  await using sidecar = await follow(places, app);
  await untilReady(sidecar, /^degraded: configuration: .*app\.json:1:2/);
  expect((await sidecar.get("/startupz")).status).toBe(200);
  expect((await sidecar.get("/metrics")).text).toMatch(/^config_sync_generation\{content="[0-9a-f]{16}"\} 1$/m);
});

test("killed before it could see the app die, the next start sees it die again, and goes back", async () => {
  using places = makePlaces();
  await using app = await prepare(places, "deadly");
  await crashAt(places, app, "write:2");
  expect(await app.exited).toBe(3);
  await using sidecar = await follow(places, app);
  await untilReady(sidecar, /app: .* not running/);
  await until("the last good is back", async () => {
    await using attempt = app.again();
    await Promise.race([attempt.exited, attempt.says(/started one/)]);
    return places.read("app.json") === value("one");
  });
  await using lasting = app.again();
  await lasting.says(/started one/);
  await untilReady(sidecar, /^degraded: configuration: .* died within/);
});

test("killed again and again at any time, it ends with the newest in force and the app told", async () => {
  using places = makePlaces();
  await using app = await prepare(places, "0");
  const words = [
    "--source",
    places.source,
    "--target",
    places.target,
    "--notify",
    "signal:HUP",
    "--process",
    app.query,
  ];
  for (let round = 1; round <= 12; round++) {
    await using victim = spawnScript(bin, [
      ...words,
      "--settle",
      "50ms",
      "--quiet",
      "0",
      "--admin-listen",
      "127.0.0.1:0",
    ]);
    await victim.says(/"started"/);
    places.replace("app.json", value(`${round}`));
    await delay(round * 7);
    victim.process.kill("SIGKILL");
    await victim.exited;
  }
  places.replace("app.json", value("last"));
  await using sidecar = await follow(places, app);
  await app.says(/reloaded last/);
  await untilReady(sidecar, "ready");
  expect(places.read("app.json")).toBe(value("last"));
});
