import { fileURLToPath } from "node:url";
import { spawnScript } from "@pillion/kit/testing";
import { expect, test } from "vitest";
import { customTlsProxy } from "../src/http-proxy/index.ts";

const bin = fileURLToPath(new URL("../bin/tls-proxy.js", import.meta.url));

test("options that need another one, all at once: exit 2", async () => {
  const alone = ["--redirect-port", "8443", "--hsts-include-subdomains", "--access-log-query"];
  await using proxy = spawnScript(bin, ["--app-port", "1", ...alone]);
  expect(await proxy.exited).toBe(2);
  for (const problem of [
    /--redirect-port: there is no redirect\. Give --redirect-listen/,
    /--hsts-include-subdomains: --hsts is not given\. Give it/,
    /--access-log-query: there is no access log\. Give --access-log/,
  ])
    expect(proxy.output()).toMatch(problem);
  await using file = spawnScript(bin, ["--app-port", "1", "--access-log-file", "access.log"]);
  expect(await file.exited).toBe(2);
  expect(file.output()).toMatch(/--access-log-file: there is no access log/);
});

test.each([
  ["0", /--workers "0": less than 1\. Give a whole number from 1 to 128, or auto/],
  ["two", /--workers "two": not a number of processes/],
  ["129", /--workers "129": more than 128/],
])("--workers %s: exit 2", async (workers, problem) => {
  await using proxy = spawnScript(bin, ["--app-port", "1", "--workers", workers]);
  expect(await proxy.exited).toBe(2);
  expect(proxy.output()).toMatch(problem);
});

test("several workers on a unix socket: exit 2", async () => {
  await using proxy = spawnScript(bin, ["--app-port", "1", "--workers", "2", "--listen", "unix:/tmp/never.sock"]);
  expect(await proxy.exited).toBe(2);
  expect(proxy.output()).toMatch(/--workers: processes can't share a unix socket.*Leave it at 1, or give a port/);
});

test("limits that the engine http-proxy doesn't keep: exit 2", async () => {
  const limits = ["--max-body", "1MiB", "--max-requests", "5"];
  await using proxy = spawnScript(bin, ["--app-port", "1", "--engine", "http-proxy", ...limits]);
  expect(await proxy.exited).toBe(2);
  for (const name of ["max-body", "max-requests"])
    expect(proxy.output()).toMatch(new RegExp(`--${name}: is not kept by --engine http-proxy`));
});

test("what listeners on http-proxy's events can't be had with is refused", () => {
  const custom = customTlsProxy(() => {});
  expect(() => custom({ appPort: 1, mode: "tcp" })).toThrow(/mode: has no http-proxy in it/);
  expect(() => custom({ appPort: 1, workers: "2" })).toThrow(/workers: don't have this program's listeners/);
  expect(() => custom({ appPort: 1, maxBody: "1MiB" })).toThrow(/maxBody: is not kept by --engine http-proxy/);
  expect(() => custom({ upstream: "h2c://127.0.0.1:1" })).toThrow(/upstream: h2c/);
});
