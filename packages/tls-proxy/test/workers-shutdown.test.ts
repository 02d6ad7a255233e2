import { expect, test } from "vitest";
import { answering, OK, startRawApp } from "./raw-app.ts";
import { startWorkers } from "./start-workers.ts";
import { connectToBoth, inFlight, stateDir } from "./worker-clients.ts";

test.each([
  ["SIGTERM to the primary", (pid: number) => process.kill(pid, "SIGTERM")],
  [
    "SIGTERM to all",
    (pid: number, workers: number[]) => [pid, ...workers].forEach((one) => process.kill(one, "SIGTERM")),
  ],
  [
    "Ctrl-C, which reaches all",
    (pid: number, workers: number[]) => [...workers, pid].forEach((one) => process.kill(one, "SIGINT")),
  ],
])("%s: both workers answer what is in flight, then exit 0", async (_name, stop) => {
  await using app = await startRawApp(() => {});
  await using proxy = await startWorkers(["--app-port", `${app.port}`, "--state-dir", stateDir]);
  const clients = await connectToBoth(proxy);
  await inFlight(app, clients);
  stop(proxy.pid, proxy.workers());
  await proxy.spawned.says(/"stopping"/);
  for (const socket of app.open) socket.write(OK);
  for (const client of clients) expect(await client.closed).toMatch(/200 OK[^]*ok$/);
  expect(await proxy.spawned.exited).toBe(0);
  expect(proxy.workers()).toEqual([]);
});

test("what either worker has to cut off is named, and the exit code is 1", async () => {
  await using app = await startRawApp(() => {});
  const flags = ["--app-port", `${app.port}`, "--state-dir", stateDir, "--shutdown-timeout", "300ms"];
  await using proxy = await startWorkers(flags);
  const clients = await connectToBoth(proxy);
  await inFlight(app, clients);
  proxy.spawned.process.kill("SIGTERM");
  expect(await proxy.spawned.exited).toBe(1);
  expect(proxy.spawned.output()).toContain(`${clients.length} still in flight when the time-out ended`);
});

test("a worker that hangs is killed at the deadline, and its last metrics are shown until then", async () => {
  await using app = await startRawApp(answering(OK));
  const flags = ["--app-port", `${app.port}`, "--state-dir", stateDir, "--shutdown-timeout", "300ms"];
  await using proxy = await startWorkers(flags);
  const clients = await connectToBoth(proxy);
  expect(await proxy.metric("connections")).toBe(clients.length);
  process.kill(proxy.workers()[0] ?? 0, "SIGSTOP");
  expect(await proxy.metric("connections")).toBe(clients.length);
  await proxy.spawned.says(/"worker":1,"msg":"a worker doesn't answer; its last metrics are shown"/);
  proxy.spawned.process.kill("SIGTERM");
  expect(await proxy.spawned.exited).toBe(1);
  expect(proxy.spawned.output()).toContain("what worker 1 had in flight when it ended with SIGKILL");
});
