import { expect, test } from "vitest";
import { startCommand } from "../start-command.ts";
import { Load } from "./load.ts";
import { startLoadApp } from "./load-app.ts";

const LENGTH = 100_000;

test("an app killed in the middle of its answers: they are cut off or 502, never wrong, and go on when it is back", async () => {
  const app = await startLoadApp();
  await using proxy = await startCommand(app.address, ["--upstream-wait", "0"]);
  await using load = new Load(() => proxy, { clients: 40, length: LENGTH, keepAlive: true });
  for (let round = 0; round < 2; round++) {
    await using current = round === 0 ? app : await startLoadApp(app.address);
    await load.gets(150);
    current.process.kill("SIGKILL");
    await current.exited;
    await load.gets(1, 503);
  }
  await using _back = await startLoadApp(app.address);
  await load.gets(150);
  await load.stop();
  console.log(load.summary());
  expect(load.unserved.filter((line) => !/^(?:cut off|502|503):/.test(line))).toEqual([]);
  expect(load.count("cut off")).toBeGreaterThan(0);
  proxy.process.kill("SIGTERM");
  expect(await proxy.exited).toBe(0);
});

test.each([true, false])("an app that restarts: nobody fails (clients keep connections: %s)", async (keepAlive) => {
  const first = await startLoadApp();
  await using proxy = await startCommand(first.address, ["--upstream-wait", "20s"]);
  await using load = new Load(() => proxy, { clients: 40, length: LENGTH, keepAlive });
  let current = first;
  for (let round = 0; round < 2; round++) {
    await load.gets(150);
    current.process.kill("SIGTERM");
    expect(await current.exited).toBe(0);
    current = await startLoadApp(first.address);
  }
  await load.gets(150);
  await load.stop();
  await current[Symbol.asyncDispose]();
  console.log(load.summary());
  expect(load.unserved).toEqual([]);
});
