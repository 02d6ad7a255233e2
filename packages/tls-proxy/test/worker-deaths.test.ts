import { setTimeout as delay } from "node:timers/promises";
import { expect, test, vi } from "vitest";
import { answering, OK, startRawApp } from "./raw-app.ts";
import { startWorkers } from "./start-workers.ts";
import { REQUEST, connectToBoth, stateDir } from "./worker-clients.ts";

test("a worker that is killed is started anew, the other goes on, and no count falls", async () => {
  await using app = await startRawApp(answering(OK));
  await using proxy = await startWorkers(["--app-port", `${app.port}`, "--state-dir", stateDir]);
  const clients = await connectToBoth(proxy);
  for (const client of clients) client.send(REQUEST);
  await Promise.all(clients.map((client) => client.receives(/ok$/)));
  const answered = 'requests_total{code="2xx"}';
  expect(await proxy.metric(answered)).toBe(clients.length);
  const [victim = 0, other = 0] = proxy.workers();
  process.kill(victim, "SIGKILL");
  await proxy.spawned.says(/"msg":"worker 1 ended with SIGKILL"/);
  expect(await proxy.get("/readyz")).toMatch(/^degraded: workers: worker 1 ended with SIGKILL/);
  const left = clients.filter(({ socket }) => !socket.destroyed);
  await vi.waitFor(() => expect(left.filter(({ socket }) => !socket.destroyed).length).toBe(proxy.spread().at(0)));
  const survivors = left.filter(({ socket }) => !socket.destroyed);
  for (const client of survivors) client.send(REQUEST);
  await Promise.all(survivors.map((client) => client.receives(/ok[^]*ok$/)));
  expect(await proxy.metric(answered)).toBe(clients.length + survivors.length);
  await vi.waitFor(async () => expect(await proxy.get("/readyz")).toBe("ready\n"), { timeout: 10_000 });
  expect(proxy.workers()).toContain(other);
  expect(proxy.workers()).toHaveLength(2);
  expect(await proxy.metric("workers")).toBe(2);
  expect(await proxy.metric("worker_deaths_total")).toBe(1);
  expect(await proxy.metric(answered)).toBe(clients.length + survivors.length);
});

test("while no worker lives it isn't ready, and then it is again", async () => {
  await using proxy = await startWorkers(["--app-port", "1", "--state-dir", stateDir]);
  for (const worker of proxy.workers()) process.kill(worker, "SIGKILL");
  await vi.waitFor(async () =>
    expect(await proxy.get("/readyz")).toMatch(/^not ready: workers: worker \d ended with SIGKILL, .*; none serves$/m),
  );
  await vi.waitFor(async () => expect(await proxy.get("/readyz")).toBe("ready\n"), { timeout: 10_000 });
});

test("a worker that dies again and again ends the sidecar: exit 1, and it says so", async () => {
  await using proxy = await startWorkers(["--app-port", "1", "--state-dir", stateDir]);
  const [, other] = proxy.workers();
  for (let death = 1; death <= 5; death++) {
    const victim = await vi.waitUntil(() => proxy.workers().find((pid) => pid !== other), { timeout: 10_000 });
    await vi.waitUntil(async () => (await proxy.metric("workers")) === 2, { timeout: 10_000 });
    process.kill(victim, "SIGKILL");
    await vi.waitUntil(() => !proxy.workers().includes(victim));
  }
  expect(await proxy.spawned.exited).toBe(1);
  expect(proxy.spawned.output()).toMatch(
    /"WORKER_ENDED".*worker 1: ended 5 times in a row, the last time with SIGKILL/,
  );
});

test("of a primary that is killed, no worker is left", async () => {
  await using proxy = await startWorkers(["--app-port", "1", "--state-dir", stateDir]);
  const workers = proxy.workers();
  expect(workers).toHaveLength(2);
  process.kill(proxy.pid, "SIGKILL");
  await vi.waitFor(() => workers.forEach((pid) => expect(() => process.kill(pid, 0)).toThrow("ESRCH")), {
    timeout: 5_000,
  });
});

test("a worker that hangs is killed after --worker-timeout and started anew, and the log says why", async () => {
  await using app = await startRawApp(answering(OK));
  const flags = ["--app-port", `${app.port}`, "--state-dir", stateDir, "--worker-timeout", "1s"];
  await using proxy = await startWorkers(flags);
  const [victim = 0, other = 0] = proxy.workers();
  process.kill(victim, "SIGSTOP");
  await proxy.spawned.says(/"worker":1,.*"msg":"worker 1 ended with SIGKILL for not answering for 1 s"/);
  expect(await proxy.get("/readyz")).toMatch(/^degraded: workers: worker 1 ended with SIGKILL for not .* others serve/);
  await vi.waitFor(async () => expect(await proxy.get("/readyz")).toBe("ready\n"), { timeout: 10_000 });
  expect(await proxy.metric("worker_deaths_total")).toBe(1);
  expect(proxy.workers()).toHaveLength(2);
  expect(proxy.workers()).toContain(other);
  for (const client of await connectToBoth(proxy)) {
    client.send(REQUEST);
    await client.receives(/ok$/);
  }
});

test("a worker isn't blamed for the time in which all were frozen", async () => {
  await using proxy = await startWorkers(["--app-port", "1", "--state-dir", stateDir, "--worker-timeout", "1s"]);
  const all = [proxy.pid, ...proxy.workers()];
  for (const pid of all) process.kill(pid, "SIGSTOP");
  await delay(2_500); // there is nothing to wait for but the time itself
  for (const pid of all) process.kill(pid, "SIGCONT");
  await delay(1_500);
  expect(await proxy.metric("worker_deaths_total")).toBe(0);
  expect([proxy.pid, ...proxy.workers()]).toEqual(all);
});
