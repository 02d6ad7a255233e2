import { chownSync, mkdirSync } from "node:fs";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { startSidecar } from "@pillion/kit/testing";
import { expect, test } from "vitest";
import { configSync } from "../src/index.ts";
import { type Places, type TestApp, makePlaces, metric, runAs, startApp, until, untilReady } from "./harness.ts";

const follow = ({ source, target }: Places, { query }: Pick<TestApp, "query">, more = {}) =>
  startSidecar(configSync({ source, target, notify: "signal:HUP", process: query, settle: "300ms", ...more }));
const value = (word: string) => JSON.stringify({ value: word });

/** Publishes a first configuration and starts the app with it. */
async function withApp(places: Places, ...words: readonly string[]): Promise<TestApp> {
  places.write("app.json", value("one"));
  await using first = await startSidecar(configSync({ source: places.source, target: places.target }));
  await untilReady(first, "ready");
  const app = startApp(places, ...words);
  await app.says(/started one/);
  return app;
}

const inForce = (sidecar: Awaited<ReturnType<typeof follow>>, times: number) =>
  until(`${times} in force`, () => sidecar.log.filter(({ msg }) => msg === "in force").length >= times);

test("the app reads new configuration, is told once, and keeps its process", async () => {
  using places = makePlaces();
  await using app = await withApp(places);
  await using sidecar = await follow(places, app);
  await inForce(sidecar, 1);
  places.write("app.json", value("two"));
  await app.says(/reloaded two/);
  await inForce(sidecar, 2);
  await untilReady(sidecar, "ready");
  expect(app.output().match(/reloaded two/g)).toHaveLength(1);
  expect(app.process.exitCode).toBeNull();
  expect(await metric(sidecar, 'config_sync_notifications_total{outcome="signalled"}')).toBe(2);
});

test("many changes at once are one generation and one notification", async () => {
  using places = makePlaces();
  await using app = await withApp(places);
  await using sidecar = await follow(places, app);
  await inForce(sidecar, 1);
  for (let file = 0; file < 200; file++) places.write(`part/${file}.json`, value(`${file}`));
  places.replace("app.json", value("two"));
  await app.says(/reloaded two/);
  await inForce(sidecar, 2);
  expect(app.output().match(/reloaded two/g)).toHaveLength(1);
  expect(await metric(sidecar, "config_sync_generations_total")).toBe(1);
});

test("what changes while the app is watched waits for its turn", async () => {
  using places = makePlaces();
  await using app = await withApp(places);
  await using sidecar = await follow(places, app, { settle: "1s" });
  await inForce(sidecar, 1);
  places.write("app.json", value("two"));
  await app.says(/reloaded two/);
  places.write("app.json", value("three"));
  await app.says(/reloaded three/);
  await inForce(sidecar, 3);
  const order = sidecar.log.filter(({ generation }) => generation !== undefined).map(({ msg }) => msg);
  expect(order).toEqual(["in force", "published", "in force", "published", "in force"]);
});

test("when the app dies of it, the last good comes back, the bad is not tried again, and the next is", async () => {
  using places = makePlaces();
  await using app = await withApp(places);
  await using sidecar = await follow(places, app);
  await inForce(sidecar, 1);
  places.write("app.json", value("deadly"));
  expect(await app.exited).toBe(3);
  await until("the last good is back", () => places.read("app.json") === value("one"));
  await untilReady(sidecar, /degraded: configuration: .*the app \(pid \d+\) died within 300 ms/);
  expect((await sidecar.get("/readyz")).status).toBe(200);

  await using second = app.again();
  await second.says(/started one/);
  await inForce(sidecar, 2);
  await sidecar.reload();
  await untilReady(sidecar, /^degraded: configuration: (?!.*; app: )/);
  expect(second.output()).not.toContain("deadly");
  expect(second.output()).not.toContain("reloaded");

  places.write("app.json", value("three"));
  await second.says(/reloaded three/);
  await untilReady(sidecar, "ready");
});

test("when the first configuration of all kills the app, it is not ready, and nothing is tried until it changes", async () => {
  using places = makePlaces();
  await using app = await withApp(places);
  places.write("app.json", value("deadly"));
  await using sidecar = await startSidecar(
    configSync({
      source: places.source,
      target: `${places.root}/other`,
      notify: "signal:HUP",
      process: app.query,
      settle: "5s",
    }),
  );
  // It is told of a configuration that it doesn't read; that it dies is ours to do.
  await app.says(/reloaded/);
  app.process.kill("SIGKILL");
  await untilReady(sidecar, /not ready: .*rollback: the app \(pid \d+\) died/);
  expect((await sidecar.get("/readyz")).status).toBe(503);
  expect(await metric(sidecar, "config_sync_generations_total")).toBe(1);
});

test("an app that isn't there: it is published, degraded, and waits; the app that starts then is not signalled", async () => {
  using places = makePlaces();
  await using app = await withApp(places);
  app.process.kill("SIGKILL");
  await app.exited;
  await using sidecar = await follow(places, app);
  await untilReady(sidecar, /degraded: app: app "cmdline=.*": not running/);
  expect((await sidecar.get("/startupz")).status).toBe(200);
  places.write("app.json", value("two"));
  await until("it is published", () => places.read("app.json") === value("two"));
  await until(
    "it is known that nobody is there",
    async () => (await metric(sidecar, 'config_sync_notifications_total{outcome="absent"}')) === 2,
  );
  await using second = app.again();
  await second.says(/started two/);
  await inForce(sidecar, 1);
  await untilReady(sidecar, "ready");
  expect(second.output()).not.toContain("reloaded");
});

test("an app whose name is longer than the one that is asked for is named, and not told", async () => {
  using places = makePlaces();
  await using app = await withApp(places);
  await using sidecar = await follow(places, { query: "name=node-Main" });
  await untilReady(sidecar, /app "name=node-Main": not running; .* begin so: node-MainThread\. Give .*script=FILE/);
  expect(app.output()).not.toContain("reloaded");
});

test("an app that starts with bad configuration and dies of it gets the last good one back", async () => {
  using places = makePlaces();
  await using app = await withApp(places);
  await using sidecar = await follow(places, app, { settle: "2s" });
  await inForce(sidecar, 1);
  app.process.kill("SIGKILL");
  await app.exited;
  places.write("app.json", value("deadly"));
  await until(
    "it is known that nobody is there",
    async () => (await metric(sidecar, 'config_sync_notifications_total{outcome="absent"}')) === 1,
  );
  // An orchestrator starts it again and again.
  await until("the last good is back", async () => {
    await using attempt = app.again();
    await Promise.race([attempt.exited, attempt.says(/started one/)]);
    return places.read("app.json") === value("one");
  });
  await using lasting = app.again();
  await lasting.says(/started one/);
  await untilReady(sidecar, /^degraded: configuration: .* died within/);
  expect(places.read("app.json")).toBe(value("one"));
});

test("a signal that the app doesn't handle is never sent, and the message names it", async () => {
  using places = makePlaces();
  await using app = await withApp(places, "deaf");
  await using sidecar = await follow(places, app);
  await untilReady(sidecar, /degraded: app: process \d+ .* does not catch SIGHUP/);
  places.write("app.json", value("two"));
  await until("it is published all the same", () => places.read("app.json") === value("two"));
  expect(app.process.exitCode).toBeNull();
  expect(app.process.signalCode).toBeNull();
});

test("two apps that answer the query: none is signalled", async () => {
  using places = makePlaces();
  await using app = await withApp(places);
  await using second = app.again();
  await second.says(/started/);
  await using sidecar = await follow(places, app);
  await untilReady(sidecar, /degraded: app: .*more than one/);
  expect(app.output() + second.output()).not.toContain("reloaded");
});

const mayChangeUser = process.getuid?.() === 0;

test.runIf(mayChangeUser)(
  "without permission to signal, it is degraded and says uid, signal and capability",
  async () => {
    using places = makePlaces();
    await using app = await withApp(places);
    const target = `${places.root}/nobodys`;
    mkdirSync(target);
    for (const directory of [places.root, target]) chownSync(directory, 65_534, 65_534);
    const words = ["--source", places.source, "--target", target, "--notify", "signal:HUP", "--process", app.query];
    const child = runAs(65_534, [...words, "--once", "--admin-listen", "127.0.0.1:0"]);
    const [output, [code]] = await Promise.all([text(child.stdout), once(child, "close")]);
    expect(output).toMatch(/uid 65534 may not send it SIGHUP.*uid 0.*CAP_KILL/);
    expect(output).toContain('"msg":"published"');
    expect(code).toBe(1);
  },
);

if (!mayChangeUser) console.log("not tested: a signal without permission, which takes two users and so root to start");
