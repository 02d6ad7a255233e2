import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { spawnScript } from "@pillion/kit/testing";
import { expect, test } from "vitest";
import { identity } from "../src/identity.ts";
import { bin, makePlaces, startApp, until } from "./harness.ts";

async function run(...words: readonly string[]): Promise<{ code: number | NodeJS.Signals; output: string }> {
  await using command = spawnScript(bin, words);
  const code = await command.exited;
  return { code, output: command.output() };
}

const anywhere = ["--admin-listen", "127.0.0.1:0"];

test("every problem with the options is named at once, and it exits with 2", async () => {
  using places = makePlaces();
  const overlapping = ["--source", join(places.source, "inner"), "--target", places.source];
  const { code, output } = await run(...overlapping, "--notify=signal:FOO", "--settle=soon", "--process=app", "--what");
  expect(code).toBe(2);
  expect(output).toMatch(/--source: lies inside --target/);
  expect(output).toMatch(/--notify "signal:FOO": SIGFOO is no signal of this system/);
  expect(output).toMatch(/--settle "soon": not a duration/);
  expect(output).toMatch(/--process "app": .*name=NAME/);
  expect(output).toMatch(/--what: no such option/);
});

test.each([
  ["--notify=signal:FOO", "--process=name=a"],
  ["--notify=signal:HUP", "--process=a"],
])("of %s and %s the one that can't be read is the only problem", async (...words) => {
  const { code, output } = await run("--source=/a", "--target=/b", ...words);
  expect(code).toBe(2);
  expect(output).toMatch(/^config-sync: a problem with the options\n/);
});

test.each([
  ["the same directory", "source", "source", /the same directory as --target/],
  ["a source in the target", "source/inner", "source", /--source: lies inside --target/],
  ["a target in the source", "source", "source/inner", /--source: holds --target/],
  ["a target in the source through a link", "source", "link/inner", /--source: holds --target/],
])("%s is refused, with 2", async (_name, source, target, message) => {
  using places = makePlaces();
  mkdirSync(join(places.source, "inner"));
  symlinkSync("source", join(places.root, "link"));
  const { code, output } = await run("--source", join(places.root, source), "--target", join(places.root, target));
  expect(output).toMatch(message);
  expect(code).toBe(2);
});

test.each([
  ["nothing", [], /--source: required.*\n.*--target: required/],
  ["--notify alone", ["--source", "/a", "--target", "/b", "--notify", "signal:HUP"], /--notify: nobody to tell/],
  [
    "--process alone",
    ["--source", "/a", "--target", "/b", "--process", "name=a"],
    /--process: has no effect by itself/,
  ],
  ["a signal that nobody handles", ["--notify", "signal:KILL"], /no process can handle SIGKILL/],
])("with %s it exits with 2", async (_name, words, message) => {
  const { code, output } = await run(...words);
  expect(output).toMatch(message);
  expect(code).toBe(2);
});

test("a target that can't be written to is named, with 1", async () => {
  using places = makePlaces();
  writeFileSync(join(places.root, "file"), "");
  const target = join(places.root, "file/target");
  const { code, output } = await run("--source", places.source, "--target", target, ...anywhere);
  expect(code).toBe(1);
  expect(output).toMatch(/--target .*file\/target.*can't be made or written to by uid \d+ \(ENOTDIR\)/);
});

test("--once publishes, exits with 0 and leaves the app to start", async () => {
  using places = makePlaces();
  places.write("app.json", "1");
  const words = ["--source", places.source, "--target", places.target, "--once", ...anywhere];
  const { code, output } = await run(...words, "--notify", "signal:HUP", "--process", "name=no-such-app");
  expect(code, output).toBe(0);
  expect(places.read("app.json")).toBe("1");
});

test.each([
  ["what isn't well-formed", "{", /app\.json:1:2/],
  ["a source that isn't there", undefined, /not there/],
])("--once exits with 1 for %s", async (_name, text, message) => {
  using places = makePlaces({ source: text !== undefined });
  if (text !== undefined) places.write("app.json", text);
  const { code, output } = await run("--source", places.source, "--target", places.target, "--once", ...anywhere);
  expect(output).toMatch(message);
  expect(code).toBe(1);
});

test("--once exits with 1 when the app died of it, and the last good is back", async () => {
  using places = makePlaces();
  places.write("app.json", '{"value": "one"}');
  const words = ["--source", places.source, "--target", places.target, "--once", ...anywhere];
  expect((await run(...words)).code).toBe(0);
  await using app = startApp(places);
  await app.says(/started one/);
  places.write("app.json", '{"value": "deadly"}');
  const { code, output } = await run(...words, "--notify", "signal:HUP", "--process", app.query, "--settle", "1s");
  expect(output).toMatch(/"went back: .* died within 1000 ms/);
  expect(output).toMatch(/the same isn't tried again/);
  expect(code).toBe(1);
  expect(places.read("app.json")).toBe('{"value": "one"}');
});

test("variables are read, SIGHUP doesn't end it, and SIGTERM does, with 0", async () => {
  using places = makePlaces();
  places.write("app.json", "1");
  const env = {
    CONFIG_SYNC_SOURCE: places.source,
    CONFIG_SYNC_TARGET: places.target,
    CONFIG_SYNC_ADMIN_LISTEN: "127.0.0.1:0",
  };
  await using sync = spawnScript(bin, [], env);
  await sync.says(/in force/);
  sync.process.kill("SIGHUP");
  places.write("app.json", "2");
  await until("it is published", () => places.read("app.json") === "2");
  sync.process.kill("SIGTERM");
  expect(await sync.exited).toBe(0);
});

test("the version is that of the package", async () => {
  const text = readFileSync(join(import.meta.dirname, "../package.json"), "utf8");
  expect(identity.version).toBe((JSON.parse(text) as { version: string }).version);
  expect((await run("--version")).output.trim()).toBe(`config-sync ${identity.version}`);
});
