import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test, vi } from "vitest";
import { collectOptions } from "./command-line.ts";
import { type OptionTable, defineOptions } from "./options.ts";
import { readOptions } from "./read-options.ts";

const directory = mkdtempSync(join(tmpdir(), "options-"));
afterAll(() => rmSync(directory, { recursive: true }));

const options = defineOptions({
  listen: { type: "address", default: "127.0.0.1:80", help: "" },
  every: { type: "duration", default: "10s", min: 100, max: 60_000, help: "" },
  publish: { type: "choice", choices: ["link", "files"], default: "link", help: "" },
  source: { type: "string", repeat: true, help: "" },
  retries: { type: "integer", min: 0, help: "" },
  once: { type: "boolean", help: "" },
  token: { type: "secret", help: "" },
});

function read(argv: string[], env: Record<string, string> = {}) {
  const { written } = collectOptions(options.table, { name: "app", argv, env });
  return readOptions(options, written);
}

test("a flag beats a variable, which beats the default", () => {
  expect(read([]).values.every).toBe(10_000);
  expect(read([], { APP_EVERY: "20s" }).values.every).toBe(20_000);
  expect(read(["--every=30s"], { APP_EVERY: "20s" }).values.every).toBe(30_000);
});

test("what nobody wrote is undefined, false or an empty list", () => {
  const { values, problems } = read([]);
  expect(problems).toEqual([]);
  expect(values).toMatchObject({ retries: undefined, once: false, source: [], token: undefined });
});

test("all problems are told at once, each with name, value, reason and remedy", () => {
  const { problems } = read(["--every=5", "--publish", "copy", "--once=maybe"], { APP_LISTEN: "80" });
  expect(problems).toEqual([
    'APP_LISTEN "80": not an address. Give host:port, [v6]:port, :port for all interfaces, or unix:/path',
    '--every "5": not a duration. Give a duration such as 150ms, 20s or 1m30s',
    '--publish "copy": not a choice. Give one of link, files',
    '--once "maybe": neither true nor false. Give true or false',
  ]);
});

test("a value out of bounds is told which bound, in its own unit", () => {
  expect(read(["--every=50ms"]).problems).toEqual([
    expect.stringContaining('--every "50ms": less than 100ms. Give a duration'),
  ]);
  expect(read(["--every=61s"]).problems).toEqual([expect.stringContaining("more than 60000ms")]);
  expect(read(["--retries=-1"]).problems).toEqual([expect.stringContaining("less than 0")]);
  expect(read(["--every=100ms", "--retries=0"]).problems).toEqual([]);
  expect(read(["--every=60s"]).problems).toEqual([]);
});

test("a list is given by several flags or with commas in a variable, and a flag replaces the variable's", () => {
  expect(read(["--source", "a,b", "--source=c"]).values.source).toEqual(["a,b", "c"]);
  expect(read([], { APP_SOURCE: "a, b,c" }).values.source).toEqual(["a", "b", "c"]);
  expect(read(["--source=c"], { APP_SOURCE: "a,b" }).values.source).toEqual(["c"]);
});

test("of an option given twice the last counts, but each has to be right", () => {
  expect(read(["--every=1s", "--every=2s"]).values.every).toBe(2_000);
  expect(read(["--every=x", "--every=2s"]).problems).toHaveLength(1);
});

test("a secret comes from a variable or from a file that is named by flag or variable", () => {
  const path = join(directory, "token");
  writeFileSync(path, "hunter2\n");
  expect(read([], { APP_TOKEN: "hunter3" }).values.token?.reveal()).toBe("hunter3");
  expect(read([], { APP_TOKEN_FILE: path }).values.token?.reveal()).toBe("hunter2");
  expect(read(["--token-file", path], { APP_TOKEN: "hunter3" }).values.token?.reveal()).toBe("hunter2");
});

test("a secret's file that is missing, empty or a directory is a problem now, not later", () => {
  const empty = join(directory, "empty");
  writeFileSync(empty, "\n");
  const problemsOf = (path: string) => read(["--token-file", path]).problems.join("\n");
  expect(problemsOf(`${directory}/none`)).toMatch(/^--token-file ".*none": can't be read \(ENOENT\)\. Give a file/);
  expect(problemsOf(directory)).toContain("can't be read (EISDIR)");
  expect(problemsOf(empty)).toContain("the file is empty");
});

test("what is required is missed by every name it could have", () => {
  const table = { url: { type: "url", required: true, help: "" } } as const;
  expect(readOptions(defineOptions(table), new Map()).problems).toEqual([
    "--url: required, but not given. Give an absolute URL such as https://example.com/",
  ]);
  expect(readOptions(defineOptions(table), new Map(), (key) => key).problems[0]).toMatch(/^url: required/);
});

test("a value that can't be read is not missed as well", () => {
  const wrong = new Map([["url", [{ name: "APP_URL", value: "nonsense" }]]]);
  const table: OptionTable = { url: { type: "url", required: true, help: "" } };
  expect(readOptions(defineOptions(table), wrong).problems).toEqual([
    expect.stringContaining('APP_URL "nonsense": not an absolute'),
  ]);
});

test("rules see the values that could be read, and report under the name that was written", () => {
  const rules = vi.fn<Parameters<typeof defineOptions>[1] & {}>((_values, problem) =>
    problem("a", "too close to b", "Move it"),
  );
  const definition = defineOptions(
    { a: { type: "integer", default: "1", help: "" }, b: { type: "integer", help: "" } },
    rules,
  );
  const written = new Map([
    ["a", [{ name: "APP_A", value: "7" }]],
    ["b", [{ name: "--b", value: "x" }]],
  ]);
  const { problems } = readOptions(definition, written);
  expect(rules.mock.calls[0]?.[0]).toStrictEqual({ a: 7 });
  expect(problems).toEqual([expect.stringMatching(/^--b "x"/), "APP_A: too close to b. Move it"]);
  expect(readOptions(definition, new Map()).problems).toEqual(["--a: too close to b. Move it"]);
});

test("a rule tells what somebody wrote from a default, though it be the same value", () => {
  const definition = defineOptions(
    {
      mode: { type: "choice", choices: ["http", "tcp"], default: "http", help: "" },
      timeout: { type: "duration", default: "20s", help: "" },
      trusted: { type: "string", repeat: true, help: "" },
    },
    ({ mode }, problem, given) => {
      for (const option of ["timeout", "trusted"] as const)
        if (mode === "tcp" && given.has(option)) problem([option, "mode"], "is for http", "Leave it out");
    },
  );
  const problemsOf = (argv: readonly string[], env: Record<string, string> = {}) =>
    readOptions(definition, collectOptions(definition.table, { name: "app", argv, env }).written).problems;
  expect(problemsOf(["--mode=tcp"], { APP_TIMEOUT: "" })).toEqual([]);
  expect(problemsOf(["--mode=tcp", "--timeout=20s"])).toEqual(["--timeout: is for http. Leave it out"]);
  expect(problemsOf(["--mode=tcp"], { APP_TIMEOUT: "20s" })).toEqual(["APP_TIMEOUT: is for http. Leave it out"]);
  const emptyList = new Map([
    ["mode", [{ name: "mode", value: "tcp" }]],
    ["trusted", []],
  ]);
  expect(readOptions(definition, emptyList).problems).toEqual([]);
});

test("a rule about an option that was given, but couldn't be read, doesn't say that it is missing", () => {
  const definition = defineOptions(
    {
      port: { type: "integer", help: "" },
      url: { type: "url", help: "" },
      token: { type: "secret", help: "" },
    },
    ({ port, url }, problem) => {
      if (!port && !url) problem(["port", "url"], "missing", "Give --port or --url");
    },
  );
  const problemsOf = (...argv: string[]) => {
    const { written, problems } = collectOptions(definition.table, { name: "app", argv, env: {} });
    return [...problems, ...readOptions(definition, written).problems];
  };
  expect(problemsOf("--port=x")).toEqual([expect.stringMatching(/^--port "x": not a whole number/)]);
  expect(problemsOf("--url=x")).toEqual([expect.stringMatching(/^--url "x": not an absolute URL/)]);
  expect(problemsOf("--port")).toEqual(["--port: needs a value. Write --port=VALUE"]);
  expect(problemsOf("--token-file", "--url=")).toEqual([
    "--token-file: needs a value. Write --token-file=VALUE",
    "--url: needs a value. Write --url=VALUE",
  ]);
  expect(problemsOf()).toEqual(["--port: missing. Give --port or --url"]);
});

test("credentials in a wrong value don't reach the message", () => {
  expect(read(["--listen=http://me:hunter2@host/"]).problems.join()).not.toContain("hunter2");
});

test("values that are typed already are taken as they are, within the bounds", () => {
  const given = (every: unknown) => readOptions(options, new Map([["every", [{ name: "every", value: every }]]]));
  expect(given(5_000).values.every).toBe(5_000);
  expect(given(5).problems).toEqual([expect.stringContaining('every "5": less than 100ms')]);
  expect(given(Number.NaN).problems).toEqual([expect.stringContaining("not a number")]);
});
