import { stripVTControlCharacters } from "node:util";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type Logger, createLog } from "./log.ts";
import { Secret } from "./secret.ts";

let text: string;
let log: Logger;
const output = { write: (line: string) => void (text += line) };
const lines = () =>
  text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);

beforeEach(async () => {
  vi.useFakeTimers();
  text = "";
  log = await createLog({ level: "info", format: "json" }, output);
});
afterEach(() => vi.useRealTimers());

test("each entry is one JSON object on a line, with time, level, message and fields", () => {
  vi.setSystemTime("2026-01-02T03:04:05.678Z");
  log.info({ pid: 7 }, "signalled\nthe app");
  log.child({ sidecar: "topz" }).warn("late");
  expect(text.split("\n")).toHaveLength(3);
  expect(lines()).toEqual([
    { level: "info", time: "2026-01-02T03:04:05.678Z", pid: 7, msg: "signalled\nthe app" },
    { level: "warn", time: "2026-01-02T03:04:05.678Z", sidecar: "topz", msg: "late" },
  ]);
});

test("what is less important than the level is left out", () => {
  log.debug("detail");
  expect(text).toBe("");
});

test.each(["info", "warn"] as const)(
  "credentials are taken out of message and fields of an %s line, at any depth",
  (level) => {
    const url = "https://me:hunter2@host/?token=hunter2";
    log[level](
      { url, list: [{ url: new URL(url) }], cause: new Error(url), token: new Secret("hunter2") },
      `fetching ${url}`,
    );
    log[level](new Error(`failed: ${url}`));
    expect(text).not.toContain("hunter2");
    expect(lines()[0]).toMatchObject({
      msg: "fetching https://[redacted]@host/?token=[redacted]",
      token: "[redacted]",
    });
    expect(lines()[1]).toMatchObject({ msg: expect.stringContaining("failed: https://[redacted]@host") });
  },
);

test("fields that JSON can't hold don't lose the line", () => {
  const circle: Record<string, unknown> = {};
  circle["self"] = circle;
  log.info({ circle }, "round");
  log.info({ size: 2n ** 64n }, "large");
  expect(lines()).toEqual([
    expect.objectContaining({ msg: "round", unprintable: expect.stringContaining("circular") }),
    expect.objectContaining({ msg: "large", size: "18446744073709551616" }),
  ]);
});

test("a warning that is repeated is written at its 1st, 2nd, 4th, 8th time, with the count", () => {
  for (let times = 1; times <= 10; times++) log.warn({ attempt: times }, "refused");
  expect(lines().map(({ attempt, times }) => [attempt, times])).toEqual([
    [1, undefined],
    [2, 2],
    [4, 4],
    [8, 8],
  ]);
});

test("other messages, levels and sidecars are counted for themselves; what is normal is never held back", () => {
  for (const one of [log.child({ sidecar: "a" }), log.child({ sidecar: "b" })]) {
    for (let times = 0; times < 3; times++) {
      one.info("done");
      one.warn("refused");
      one.error("refused");
    }
  }
  const count = (level: string) => lines().filter((line) => line["level"] === level).length;
  expect([count("info"), count("warn"), count("error")]).toEqual([6, 4, 4]);
});

test("a warning that was quiet for a minute is news", () => {
  for (let times = 0; times < 3; times++) log.warn("refused");
  vi.advanceTimersByTime(59_000);
  log.warn("refused");
  vi.advanceTimersByTime(61_000);
  log.warn("refused");
  expect(lines().map(({ times }) => times)).toEqual([undefined, 2, 4, undefined]);
});

test("a thousand different warnings don't make it forget to write, or grow", () => {
  for (let number = 0; number < 2_500; number++) log.warn(`problem ${number}`);
  expect(lines()).toHaveLength(2_500);
});

test("on a terminal, or when asked, it writes for people", async () => {
  const url = "https://me:hunter2@host/";
  for (const format of ["auto", "pretty"] as const) {
    text = "";
    const pretty = await createLog({ level: "info", format }, { ...output, isTTY: format === "auto" });
    pretty.child({ sidecar: "topz" }).info({ port: 80 }, `listening ${url}`);
    expect(() => lines()).toThrow(SyntaxError);
    expect(text).toMatch(/INFO[\s\S]*topz: listening https:\/\/\[redacted\]@host\/[\s\S]*80/);
    text = "";
    pretty.warn("of no sidecar");
    expect(stripVTControlCharacters(text)).toMatch(/ WARN: of no sidecar\n$/);
  }
});
