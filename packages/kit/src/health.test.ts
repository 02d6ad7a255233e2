import { beforeEach, expect, test } from "vitest";
import { HealthRecord } from "./health.ts";
import { type Logger, createLog } from "./log.ts";

let lines: Record<string, unknown>[];
let health: HealthRecord;
beforeEach(async () => {
  lines = [];
  const log: Logger = await createLog(
    { level: "trace", format: "json" },
    { write: (line) => lines.push(JSON.parse(line)) },
  );
  health = new HealthRecord(log);
});

test("a sidecar with nothing to look after is ready", () => {
  expect(health.status()).toEqual({ started: true, ready: true, degraded: false, text: "ready" });
});

test("a pending condition has to be ok once before the sidecar has started", () => {
  const sync = health.condition("sync", "pending");
  expect(health.status()).toEqual({ started: false, ready: false, degraded: false, text: "starting: sync pending" });
  sync.degraded("no such branch");
  expect(health.status()).toMatchObject({ started: false, ready: false, text: "starting: sync: no such branch" });
  sync.ok();
  expect(health.status()).toMatchObject({ started: true, ready: true, text: "ready" });
});

test("after that trouble is degraded: ready, but with the reason", () => {
  const sync = health.condition("sync", "pending");
  sync.ok();
  sync.degraded("host unknown");
  expect(health.status()).toEqual({ started: true, ready: true, degraded: true, text: "degraded: sync: host unknown" });
  sync.ok();
  expect(health.status().text).toBe("ready");
});

test("failed is not ready, but still started", () => {
  const rollback = health.condition("rollback");
  rollback.failed("old version is gone");
  expect(health.status()).toEqual({
    started: true,
    ready: false,
    degraded: true,
    text: "not ready: rollback: old version is gone",
  });
  rollback.ok();
  expect(health.status().ready).toBe(true);
});

test("of several conditions the worst counts, and those as bad are named together", () => {
  const [a, b, c] = [health.condition("a"), health.condition("b"), health.condition("c")];
  a.degraded("x");
  b.degraded("y");
  expect(health.status().text).toBe("degraded: a: x; b: y");
  c.failed("z");
  expect(health.status().text).toBe("not ready: c: z");
});

test("two conditions of one name both count", () => {
  const [first, second] = [health.condition("loop"), health.condition("loop")];
  first.degraded("down");
  second.ok();
  expect(health.status().text).toBe("degraded: loop: down");
  second.degraded("down too");
  expect(health.status().text).toBe("degraded: loop: down; loop 2: down too");
});

test("every change is logged once, and recovery says how often it was reported", () => {
  const sync = health.condition("sync");
  sync.ok();
  for (let times = 0; times < 5; times++) sync.degraded("away");
  sync.failed("gone");
  sync.ok();
  sync.ok();
  expect(lines.map(({ level, msg, condition, after }) => ({ level, msg, condition, after }))).toEqual([
    { level: "warn", msg: "away", condition: "sync", after: undefined },
    { level: "error", msg: "gone", condition: "sync", after: undefined },
    { level: "info", msg: "recovered", condition: "sync", after: 1 },
  ]);
  for (let times = 0; times < 3; times++) sync.failed("again");
  sync.ok();
  expect(lines.at(-1)).toMatchObject({ msg: "recovered", after: 3 });
});
