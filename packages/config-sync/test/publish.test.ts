import {
  appendFileSync,
  mkdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { startSidecar } from "@pillion/kit/testing";
import { expect, test } from "vitest";
import { type Files, type Source, configSync } from "../src/index.ts";
import { type Places, makePlaces, metric, startReader, swapVolume, until, untilReady } from "./harness.ts";

const start = ({ source, target }: Places, more = {}) => startSidecar(configSync({ source, target, ...more }));

test("a file that is written in place is published", async () => {
  using places = makePlaces();
  places.write("app.json", '{"a": 1}');
  places.write("deep/er/app.properties", "a=1");
  await using sidecar = await start(places);
  await untilReady(sidecar, "ready");
  expect(places.read("app.json")).toBe('{"a": 1}');
  expect(places.read("deep/er/app.properties")).toBe("a=1");
  places.write("app.json", '{"a": 2}');
  await until("the new file is there", () => places.read("app.json") === '{"a": 2}');
});

test("a file that is renamed over the old one is published, and what editors leave beside it is not", async () => {
  using places = makePlaces();
  places.write("app.json", "1");
  await using sidecar = await start(places);
  await untilReady(sidecar, "ready");
  places.write(".app.json.swp", "vim");
  symlinkSync("user@host.4711:1700000000", join(places.source, ".#app.json"));
  places.replace("app.json", "2");
  await until("the new file is there", () => places.read("app.json") === "2");
  expect(places.read(".app.json.swp")).toBeUndefined();
  expect((await sidecar.get("/readyz")).text).toContain("ready");
});

test("a file that is truncated and written 20 ms later is one generation, and one that is removed goes away", async () => {
  using places = makePlaces();
  places.write("app.json", '{"a": 1}');
  places.write("old.json", "1");
  await using sidecar = await start(places);
  await untilReady(sidecar, "ready");
  truncateSync(join(places.source, "app.json"));
  await delay(20);
  appendFileSync(join(places.source, "app.json"), '{"a": 2}');
  rmSync(join(places.source, "old.json"));
  await until("the new file is there", () => places.read("app.json") === '{"a": 2}');
  expect(places.read("old.json")).toBeUndefined();
  await until("it is counted", async () => (await metric(sidecar, "config_sync_generations_total")) >= 2);
  expect(await metric(sidecar, "config_sync_generations_total")).toBe(2);
  expect(await metric(sidecar, 'config_sync_failures_total{stage="validate"}')).toBe(0);
});

test("a Kubernetes volume is read through its ..data, and each swap is one generation", async () => {
  using places = makePlaces();
  swapVolume(places.source, "2026_1", { "a.json": "1", "b.json": "1" });
  await using sidecar = await start(places);
  await untilReady(sidecar, "ready");
  for (const version of ["2", "3", "4"]) {
    swapVolume(places.source, `2026_${version}`, { "a.json": version, "b.json": version });
    rmSync(join(places.source, `..2026_${Number(version) - 1}`), { recursive: true });
    await until("the new volume is published", () => places.read("a.json") === version);
    expect(places.read("b.json")).toBe(version);
  }
  await until("the last is counted", async () => (await metric(sidecar, "config_sync_generations_total")) >= 4);
  expect(await metric(sidecar, "config_sync_generations_total")).toBe(4);
});

test("a source below a link is followed when the link is swapped", async () => {
  using places = makePlaces({ source: false });
  for (const version of ["v1", "v2"]) {
    mkdirSync(join(places.root, version, "config"), { recursive: true });
    writeFileSync(join(places.root, version, "config/app.txt"), version);
  }
  const link = join(places.root, "current");
  symlinkSync("v1", link);
  await using sidecar = await startSidecar(configSync({ source: join(link, "config"), target: places.target }));
  await untilReady(sidecar, "ready");
  expect(places.read("app.txt")).toBe("v1");
  symlinkSync("v2", `${link}.new`);
  renameSync(`${link}.new`, link);
  await until("the swap is noticed", () => places.read("app.txt") === "v2");
  writeFileSync(join(places.root, "v2/config/app.txt"), "v2 changed");
  await until("what the link leads to now is watched", () => places.read("app.txt") === "v2 changed");
});

test("a source that is missing is waited for, and picked up when it appears", async () => {
  using places = makePlaces({ source: false });
  await using sidecar = await start(places, { resync: "1h" });
  await untilReady(sidecar, /starting: configuration: --source .* not there/);
  expect((await sidecar.get("/startupz")).status).toBe(503);
  places.write("app.json", "1");
  await untilReady(sidecar, "ready");
  expect((await sidecar.get("/startupz")).status).toBe(200);
  expect(places.read("app.json")).toBe("1");
});

test("when the source vanishes or is emptied, what was published stays", async () => {
  using places = makePlaces();
  places.write("app.json", "1");
  await using sidecar = await start(places);
  await untilReady(sidecar, "ready");
  rmSync(join(places.source, "app.json"));
  await untilReady(sidecar, /degraded: configuration: .* holds no files/);
  rmSync(places.source, { recursive: true });
  await untilReady(sidecar, /degraded: configuration: .* not there/);
  expect(places.read("app.json")).toBe("1");
  places.write("app.json", "2");
  await untilReady(sidecar, "ready");
  expect(places.read("app.json")).toBe("2");
});

test("a link that leaves the source is refused and named, and the old stays", async () => {
  using places = makePlaces();
  places.write("app.json", "1");
  await using sidecar = await start(places);
  await untilReady(sidecar, "ready");
  symlinkSync("/etc/passwd", join(places.source, "secret.txt"));
  await untilReady(sidecar, /degraded: .*secret\.txt.*a link that leaves the source/);
  expect(places.read("app.json")).toBe("1");
  expect(places.read("secret.txt")).toBeUndefined();
  rmSync(join(places.source, "secret.txt"));
  await untilReady(sidecar, "ready");
});

test("what isn't well-formed is refused with file, line and column, and never quoted", async () => {
  using places = makePlaces();
  places.write("app.xml", "<app/>");
  await using sidecar = await start(places);
  await untilReady(sidecar, "ready");
  places.write("app.xml", "<app>\n  <password>hunter2</passwort>\n</app>");
  places.write("app.json", '{"password": hunter2}');
  places.write("app.yaml", "password: 'hunter2\n");
  const refusal =
    /degraded: .*app\.json:1:14: a value is expected, app\.xml:2:30: unexpected close tag, app\.yaml:2:1: missing char/;
  await untilReady(sidecar, refusal);
  expect(places.read("app.xml")).toBe("<app/>");
  expect(JSON.stringify(sidecar.log)).not.toMatch(/hunter2|passwor/);
  rmSync(join(places.source, "app.json"));
  rmSync(join(places.source, "app.yaml"));
  places.write("app.xml", "<app><password>hunter2</password></app>");
  await untilReady(sidecar, "ready");
  expect(places.read("app.xml")).toContain("hunter2");
});

test("a first configuration that isn't well-formed is not published at all", async () => {
  using places = makePlaces();
  places.write("app.json", "{");
  await using sidecar = await start(places);
  await untilReady(sidecar, /starting: configuration: .*app\.json:1:2/);
  expect(places.read("app.json")).toBeUndefined();
});

test("a reader never sees two generations mixed, whatever is written when", async () => {
  using places = makePlaces();
  swapVolume(places.source, "0", { "a.json": "0", "b.json": "0" });
  await using sidecar = await start(places, { quiet: "0", keep: 5 });
  await untilReady(sidecar, "ready");
  await using reader = startReader(places);
  await reader.says(/reading/);
  for (let version = 1; version <= 30; version++) {
    swapVolume(places.source, String(version), { "a.json": `${version}`, "b.json": `${version}` });
    await delay(version % 7);
  }
  await until("the last is published", () => places.read("b.json") === "30");
  reader.process.kill("SIGTERM");
  expect(await reader.exited).toBe(0);
  expect(reader.output()).not.toContain("MIXED");
  expect(Number(/versions (\d+)/.exec(reader.output())?.[1])).toBeGreaterThan(1);
});

test("old generations are kept as told, and no more", async () => {
  using places = makePlaces();
  places.write("app.json", "0");
  await using sidecar = await start(places, { keep: 2 });
  await untilReady(sidecar, "ready");
  for (const version of ["1", "2", "3", "4"]) {
    places.write("app.json", version);
    await until("it is published", () => places.read("app.json") === version);
  }
  await until("the rest is removed", () => places.generations().length === 3);
  expect(
    places
      .generations()
      .toSorted()
      .map((name) => name.slice(0, 8)),
  ).toEqual(["..000003", "..000004", "..000005"]);
});

test("the mode of a file is kept", async () => {
  using places = makePlaces();
  writeFileSync(join(places.source, "run.sh"), "true\n", { mode: 0o750 });
  await using sidecar = await start(places);
  await untilReady(sidecar, "ready");
  expect(statSync(join(places.target, "run.sh")).mode & 0o777).toBe(0o750);
});

test("a name that somebody else has in the target is left alone, and said", async () => {
  using places = makePlaces();
  places.write("app.json", "1");
  mkdirSync(places.target);
  writeFileSync(join(places.target, "app.json"), "mine");
  await using sidecar = await start(places);
  await untilReady(sidecar, /starting: configuration: .*app\.json/);
  expect(places.read("app.json")).toBe("mine");
});

test("a source of one's own is enough with read, and looked at every --resync", async () => {
  using places = makePlaces();
  let text = "1";
  const read = (): Promise<Files> => Promise.resolve(new Map([["app.txt", { bytes: Buffer.from(text), mode: 0o644 }]]));
  const source: Source = { name: "memory", read };
  await using sidecar = await startSidecar(configSync({ source, target: places.target, resync: "100ms" }));
  await untilReady(sidecar, "ready");
  expect(places.read("app.txt")).toBe("1");
  text = "2";
  await until("the next is published", () => places.read("app.txt") === "2");
});

test("told to reload, it looks at once", async () => {
  using places = makePlaces();
  let text = "1";
  const read = (): Promise<Files> => Promise.resolve(new Map([["app.txt", { bytes: Buffer.from(text), mode: 0o644 }]]));
  await using sidecar = await startSidecar(
    configSync({ source: { name: "memory", read }, target: places.target, resync: "1h" }),
  );
  await untilReady(sidecar, "ready");
  text = "2";
  await sidecar.reload();
  await until("the next is published", () => places.read("app.txt") === "2");
  expect(await metric(sidecar, 'config_sync_failures_total{stage="read"}')).toBe(0);
});

test("what isn't well-formed is checked once, however often it is found", async () => {
  using places = makePlaces();
  let reads = 0;
  const read = (): Promise<Files> => {
    reads++;
    return Promise.resolve(new Map([["app.json", { bytes: Buffer.from("{"), mode: 0o644 }]]));
  };
  const source: Source = { name: "memory", read };
  await using sidecar = await startSidecar(configSync({ source, target: places.target, resync: "100ms" }));
  await until("it was read often", () => reads > 3);
  expect(await metric(sidecar, 'config_sync_failures_total{stage="validate"}')).toBe(1);
});
