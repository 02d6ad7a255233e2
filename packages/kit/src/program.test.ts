import { expect, onTestFinished, test } from "vitest";
import { type Context, type Running, type Sidecar, defineSidecar } from "./sidecar.ts";
import { startSidecar } from "./testing.ts";

function sidecar(name: string, start: (context: Context) => Promise<Running>): Sidecar {
  const table = { token: { type: "secret", help: "" }, url: { type: "url", default: "http://h/", help: "" } } as const;
  const identity = { name, version: "1.2.3", description: "", adminListen: "127.0.0.1:0" };
  return defineSidecar(identity, table, () => ({ start }))({ token: "hunter2", url: "http://me:hunter2@h/" });
}

async function started(sidecars: Sidecar | readonly Sidecar[], shutdownTimeout?: string) {
  const running = await startSidecar(sidecars, shutdownTimeout);
  onTestFinished(async () => void (await running.stop()));
  return running;
}

test("probes follow the sidecar's health", async () => {
  let sync = {} as ReturnType<Context["health"]["condition"]>;
  const { get } = await started(
    sidecar("one", async ({ health }) => {
      sync = health.condition("sync", "pending");
      return { stop() {} };
    }),
  );
  expect(await get("/livez")).toEqual({ status: 200, text: "ok\n" });
  expect(await get("/startupz")).toEqual({ status: 503, text: "starting: sync pending\n" });
  expect(await get("/readyz")).toEqual({ status: 503, text: "starting: sync pending\n" });
  sync.ok();
  expect(await get("/startupz")).toEqual({ status: 200, text: "ready\n" });
  expect(await get("/readyz")).toEqual({ status: 200, text: "ready\n" });
  sync.degraded("host unknown");
  expect(await get("/readyz")).toEqual({ status: 200, text: "degraded: sync: host unknown\n" });
  sync.failed("gone");
  expect(await get("/readyz")).toEqual({ status: 503, text: "not ready: sync: gone\n" });
  expect(await get("/startupz")).toMatchObject({ status: 200 });
  expect((await get("/metrics")).text).toMatch(/^one_ready 0\none_ready|^one_ready 0$/m);
});

test("version, configuration and metrics are told, secrets are not", async () => {
  const { get } = await started(
    sidecar("tls-proxy", async ({ metrics }) => {
      metrics.counter("requests_total", "Requests.").inc();
      return { stop() {} };
    }),
  );
  expect(JSON.parse((await get("/version")).text)).toEqual({ "tls-proxy": "1.2.3" });
  const config = await get("/config");
  expect(JSON.parse(config.text)).toEqual({ "tls-proxy": { token: "[redacted]", url: "http://[redacted]@h/" } });
  const { text } = await get("/metrics");
  expect(text).toMatch(/^tls_proxy_requests_total 1$/m);
  expect(text).toMatch(/^tls_proxy_build_info\{version="1\.2\.3"\} 1$/m);
  expect(text).toMatch(/^tls_proxy_ready 1$/m);
  expect(text).toMatch(/^tls_proxy_degraded 0$/m);
  expect(text).toMatch(/^process_resident_memory_bytes \d+$/m);
});

const echoing = (name: string) =>
  sidecar(name, async ({ admin, health, metrics, log }) => {
    admin.route("GET /hello", (_request, response) => void response.end(name));
    metrics.counter("beats_total", "Beats.").inc();
    health.condition("app").degraded(`${name} is away`);
    log.info("up");
    return { stop() {}, addresses: { [name]: "127.0.0.1:1" } };
  });

test("one sidecar has its routes at the root", async () => {
  const { get, addresses, log } = await started(echoing("one"));
  expect(await get("/hello")).toEqual({ status: 200, text: "one" });
  expect(addresses).toMatchObject({ one: "127.0.0.1:1", admin: expect.stringMatching(/^127\.0\.0\.1:\d+$/) });
  expect(log).toContainEqual(expect.objectContaining({ msg: "up", sidecar: "one" }));
  expect(log).toContainEqual(expect.objectContaining({ msg: "started", admin: addresses["admin"] }));
});

test("several have each a branch, a line of readiness, metrics and configuration of their own", async () => {
  const { get } = await started([echoing("one"), echoing("two")]);
  expect(await get("/hello")).toMatchObject({ status: 404 });
  expect((await get("/one/hello")).text).toBe("one");
  expect((await get("/two/hello")).text).toBe("two");
  expect(await get("/readyz")).toEqual({
    status: 200,
    text: "one: degraded: app: one is away\ntwo: degraded: app: two is away\n",
  });
  expect(Object.keys(JSON.parse((await get("/config")).text))).toEqual(["one", "two"]);
  const { text } = await get("/metrics");
  expect(text).toMatch(/^one_beats_total 1$/m);
  expect(text).toMatch(/^two_beats_total 1$/m);
});

test("one of several that isn't ready keeps all from being ready", async () => {
  const pending = sidecar("two", async ({ health }) => {
    health.condition("sync", "pending");
    return { stop() {} };
  });
  const { get } = await started([echoing("one"), pending]);
  expect(await get("/readyz")).toEqual({
    status: 503,
    text: "one: degraded: app: one is away\ntwo: starting: sync pending\n",
  });
});

test("two of one name can't run in one process: their metrics would be one", async () => {
  await expect(startSidecar([echoing("one"), echoing("one")])).rejects.toThrow("already been registered");
});

test("a metric that exists already fails the start", async () => {
  const twice = sidecar("one", async ({ metrics }) => {
    metrics.counter("ready", "Ready.");
    return { stop() {} };
  });
  await expect(startSidecar(twice)).rejects.toThrow("one_ready has already been registered");
});

test("a sidecar that can't start takes those before it down", async () => {
  const stopped: string[] = [];
  const first = sidecar("first", async ({ signal }) => ({ stop: () => void stopped.push(`first, ${signal.aborted}`) }));
  const broken = sidecar("broken", () => Promise.reject(new Error("no certificate")));
  await expect(startSidecar([first, broken])).rejects.toThrow("no certificate");
  expect(stopped).toEqual(["first, true"]);
});

test("stopping aborts both signals first, and probes answer `draining` until the end", async () => {
  const told: unknown[] = [];
  const running = await started(
    sidecar("one", async ({ stopping, signal }) => ({
      async stop(deadline) {
        told.push(
          stopping.aborted,
          signal.aborted,
          deadline.aborted,
          await running.get("/readyz"),
          (await running.get("/livez")).status,
        );
        told.push((await running.get("/metrics")).text.includes("one_ready 0\n"));
      },
    })),
  );
  expect(await running.stop()).toBe(true);
  expect(told).toEqual([true, true, false, { status: 503, text: "draining\n" }, 200, true]);
  await expect(running.get("/livez")).rejects.toThrow("fetch failed");
});

test("what doesn't end within the time-out is left behind, and the others are not", async () => {
  const stopped: string[] = [];
  const stuck = sidecar("stuck", async () => ({ stop: () => new Promise<void>(() => {}) }));
  const slow = sidecar("slow", async () => ({
    stop: (deadline) =>
      new Promise<void>((_resolve, reject) => {
        deadline.addEventListener("abort", () => reject(new Error("3 requests were cut off")));
      }),
  }));
  const quick = sidecar("quick", async () => ({ stop: () => void stopped.push("quick") }));
  const running = await started([stuck, slow, quick], "50ms");
  expect(await running.stop()).toBe(false);
  expect(stopped).toEqual(["quick"]);
  expect(running.log).toContainEqual(
    expect.objectContaining({ level: "error", sidecar: "slow", msg: "3 requests were cut off" }),
  );
  expect(running.log).toContainEqual(
    expect.objectContaining({
      level: "error",
      sidecar: "stuck",
      msg: expect.stringContaining("Raise --shutdown-timeout"),
    }),
  );
});

test("reload reaches each sidecar that can, and one that fails doesn't stop the others", async () => {
  const reloaded: string[] = [];
  const throwing = sidecar("throwing", async () => ({
    stop() {},
    reload() {
      throw new Error("no new certificate");
    },
  }));
  const rejecting = sidecar("rejecting", async () => ({
    stop() {},
    reload: () => Promise.reject(new Error("no new key")),
  }));
  const good = sidecar("good", async () => ({ stop() {}, reload: () => void reloaded.push("good") }));
  const running = await started([throwing, rejecting, good]);
  await running.reload();
  expect(reloaded).toEqual(["good"]);
  expect(running.log).toContainEqual(
    expect.objectContaining({ level: "error", msg: "no new certificate", sidecar: "throwing" }),
  );
  expect(running.log).toContainEqual(expect.objectContaining({ level: "error", msg: "no new key" }));
});
