import { createServer } from "node:net";
import { once } from "node:events";
import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ask } from "../request.ts";
import { until } from "../until.ts";
import { nothingIsLeftOf, runDemo } from "./running-demo.ts";

test("Ctrl-C in the terminal stops everything, exits with 0 and leaves nothing behind", async () => {
  await using demo = runDemo();
  const started = await demo.started();
  expect([...started.programs.keys()]).toEqual(["legacy-app", "tls-proxy", "topz", "repo-updater", "config-sync"]);
  expect((await stat(started.directory)).mode & 0o777).toBe(0o700);
  process.kill(-demo.shell.pid, "SIGINT");
  process.kill(started.main.pid, "SIGINT"); // npm passes it on once more
  await nothingIsLeftOf(started);
  await demo.exited;
  expect(demo.output()).toContain("All stopped, nothing left behind.\n");
  expect(demo.output()).not.toContain("SIGKILL");
});

test("SIGTERM to what started it, which doesn't pass it on, stops everything", async () => {
  await using demo = runDemo();
  const started = await demo.started();
  demo.shell.kill("SIGTERM");
  await nothingIsLeftOf(started);
  expect(await demo.exited).toBe("SIGTERM");
  expect(demo.output()).toContain("All stopped, nothing left behind.\n");
});

test("a closed terminal (SIGHUP) stops everything", async () => {
  await using demo = runDemo();
  const started = await demo.started();
  process.kill(started.main.pid, "SIGHUP");
  expect(await demo.exited).toBe(0);
  await nothingIsLeftOf(started);
});

test("kill -9 of the demo leaves nothing behind either", async () => {
  await using demo = runDemo();
  const started = await demo.started();
  process.kill(started.main.pid, "SIGKILL");
  expect(await demo.exited).toBe(128 + 9);
  await nothingIsLeftOf(started);
});

test("it tells what happens: a configuration taken, one refused, a killed app that is started again", async () => {
  await using demo = runDemo();
  const { directory, programs, appUrl } = await demo.started();
  const config = join(directory, "config", "app.xml");
  const good = await readFile(config, "utf8");

  await writeFile(config, good.replace("morning", "evening"));
  await demo.says(/legacy-app +configuration 1 loaded/);
  await demo.says(/config-sync +told the app, pid \d+, to read it/);
  await writeFile(config, `${good}<oops`);
  await demo.says(/config-sync +degraded: .*app\.xml:\d+:\d+: /);
  await writeFile(config, good);
  await demo.says(/config-sync +recovered \((?!app)/);

  process.kill(programs.get("legacy-app")?.pid ?? 0, "SIGKILL");
  await demo.says(/legacy-app +was killed by SIGKILL; starting it again in \d\.\d s/);
  await demo.says(/legacy-app +started again, pid \d+/);
  const signal = AbortSignal.timeout(10_000);
  const page = await until(() => ask(appUrl, signal).catch(() => undefined), signal);
  expect(page.status).toBe(200);
});

test("a port that is taken: says which, who wants it and the option that moves it, and starts nothing", async () => {
  await using server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address ? address.port : 0;
  await using demo = runDemo([
    `--app-port=${port}`,
    "--https-port=0",
    "--topz-port=0",
    "--tls-proxy-port=0",
    "--repo-updater-port=0",
    "--config-sync-port=0",
  ]);
  expect(await demo.exited).toBe(1);
  expect(demo.output()).toBe(
    `demo: port ${port}: is taken, and legacy-app needs it for the app's own plain HTTP. ` +
      "Choose another with --app-port N, or --app-port 0 for any that is free\n  Nothing was started.\n",
  );
});

test("everything that is wrong with the options is said at once, and the exit code is 2", async () => {
  await using demo = runDemo(["--app-port=http", "--port=1", "tour"]);
  expect(await demo.exited).toBe(2);
  for (const what of ['--app-port "http"', "--port:", "tour:"]) expect(demo.output()).toContain(what);
});
