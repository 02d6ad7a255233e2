import { expect, test } from "vitest";
import { sentence } from "../sentences.ts";

const said = (fields: Record<string, unknown>) => sentence("config-sync", JSON.stringify({ level: "info", ...fields }));

test("a log line becomes a sentence", () => {
  expect(said({ commit: "0123456789abcdef", link: "/srv/current", msg: "published" })?.text).toBe(
    "published commit 01234567",
  );
  expect(said({ generation: "g1", files: 2, msg: "published" })?.text).toBe("published the configuration: 2 files");
  expect(said({ admin: "127.0.0.1:1", https: "127.0.0.1:2", msg: "started" })?.text).toBe(
    "started, listening on 127.0.0.1:2 and 127.0.0.1:1",
  );
});

test("what changes a sidecar's health says so", () => {
  const line = { condition: "app", msg: "not running" };
  expect(said({ ...line, level: "warn", state: "degraded" })).toEqual({ level: "warn", text: "degraded: not running" });
  expect(said({ ...line, level: "error", state: "failed" })).toEqual({
    level: "error",
    text: "not ready: not running",
  });
});

test("a message that nobody has foreseen is passed on, and one that isn't JSON as an error", () => {
  expect(said({ msg: "something new" })).toEqual({ level: "info", text: "something new" });
  expect(sentence("topz", "Segmentation fault")).toEqual({ level: "error", text: "Segmentation fault" });
});

test("of the app's log, requests are left out and what it dies of is kept", () => {
  expect(sentence("legacy-app", "2026-01-01T00:00:00.000Z GET / 200")).toBeUndefined();
  expect(sentence("legacy-app", "    at readConfig (server.js:1:1)")).toBeUndefined();
  expect(sentence("legacy-app", "Error: configuration: no <greeting>")?.level).toBe("error");
});
