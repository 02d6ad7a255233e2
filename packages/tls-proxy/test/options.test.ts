import { fileURLToPath } from "node:url";
import { spawnScript } from "@pillion/kit/testing";
import { expect, test } from "vitest";

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
