import { fileURLToPath } from "node:url";
import { spawnScript } from "@pillion/kit/testing";
import { expect, test } from "vitest";
import { customTlsProxy } from "../src/http-proxy/index.ts";
import { tlsProxy } from "../src/index.ts";
import { options } from "../src/options.ts";

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
  [["--app-port", "8443"], "--listen: 127.0.0.1:8443"],
  [["--app-port", "9100", "--listen", "127.0.0.1:9100"], "--listen: 127.0.0.1:9100"],
  [["--app-port", "9100", "--listen", ":9100"], "--listen: :9100"],
  [["--upstream", "localhost:9100", "--listen", "0.0.0.0:9100"], "--listen: 0.0.0.0:9100"],
  [["--upstream", "h2c://[::1]:9100", "--listen", "[::]:9100"], "--listen: [::]:9100"],
  [["--upstream", "192.0.2.1:9100", "--listen", "192.0.2.1:9100"], "--listen: 192.0.2.1:9100"],
  [["--upstream", "localhost:9100", "--listen", "127.0.0.1:9100"], "--listen: 127.0.0.1:9100"],
  [["--upstream", "unix:/tmp/never", "--listen", "unix:/tmp/never"], "--listen: unix:/tmp/never"],
  [["--app-port", "9100", "--redirect-listen", ":9100"], "--redirect-listen: :9100"],
])("the proxy as its own app (%j): exit 2", async (flags, problem) => {
  await using proxy = spawnScript(bin, flags);
  expect(await proxy.exited).toBe(2);
  expect(proxy.output()).toContain(`${problem} is where the app is said to be`);
  expect(proxy.output()).toMatch(/Give the proxy another port/);
});

test.each([
  [["--app-port", "9100"], ["--admin-listen", "127.0.0.1:9100"], "--app-port"],
  [["--upstream", "localhost:9100"], ["--admin-listen", "127.0.0.1:0", "--health-listen", ":9100"], "--upstream"],
])("the sidecar's own endpoints as its app (%j %j): exit 1", async (app, endpoints, option) => {
  await using proxy = spawnScript(bin, [...app, ...endpoints, "--listen", "127.0.0.1:0"]);
  expect(await proxy.exited).toBe(1);
  expect(proxy.output()).toMatch(new RegExp(`APP_IS_ADMIN.*${option} .*:9100.*Give those another port`));
});

test.each([
  ["localhost", "127.0.0.1"],
  ["LOCALHOST.", "[::1]"],
  ["app.localhost", ""],
  ["localhost", "[::]"],
  ["localhost", "localhost"],
  ["127.0.0.1", "localhost"],
  ["[::1]", "localhost"],
  ["", "localhost"],
  ["[::1]", ""],
  ["127.0.0.2", "[::]"],
  ["127.0.0.2", "0.0.0.0"],
  ["[0:0::1]", "[::1]"],
  ["[::ffff:127.0.0.1]", "127.0.0.1"],
])("an app at %j and a proxy at %j are the same", (app, proxy) => {
  const values = { upstream: `${app}:9100`, listen: `${proxy}:9100` };
  expect(() => tlsProxy(values)).toThrow(/is where the app is said to be/);
});

test.each([
  [{ appPort: 9100, listen: "127.0.0.2:9100" }],
  [{ upstream: "127.0.0.2:9100", listen: "localhost:9100" }],
  [{ upstream: "app.test:9100", listen: ":9100" }],
  [{ upstream: "localhost:9100", listen: "192.0.2.1:9100" }],
  [{ upstream: "localhost:9100", listen: "localhost:9101" }],
  [{ appPort: 9100, listen: "[::1]:9100" }],
  [{ upstream: "[::1]:9100", listen: "0.0.0.0:9100" }],
  [{ upstream: "192.0.2.1:9100", listen: ":9100" }],
  [{ upstream: "unix:/tmp/app", listen: "unix:/tmp/tls" }],
  [{ upstream: "127.0.0.1:0", listen: "127.0.0.1:0" }],
])("%j are two addresses", (values) => expect(() => tlsProxy(values)).not.toThrow());

test("a URL as --upstream: exit 2, and what to leave out", async () => {
  await using proxy = spawnScript(bin, ["--upstream", "http://127.0.0.1:8080"]);
  expect(await proxy.exited).toBe(2);
  expect(proxy.output()).toMatch(
    /--upstream "http:\/\/127.0.0.1:8080": not an address; leave http:\/\/ out\. Give host/,
  );
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

test("PROXY headers on a unix socket: refused", () => {
  const values = { appPort: 1, listen: "unix:/tmp/never.sock", proxyProtocolFrom: ["127.0.0.0/8"] };
  expect(() => tlsProxy(values)).toThrow(/proxyProtocolFrom: is for clients with an address.*Leave it out/);
});

test("several workers on a unix socket: exit 2", async () => {
  await using proxy = spawnScript(bin, ["--app-port", "1", "--workers", "2", "--listen", "unix:/tmp/never.sock"]);
  expect(await proxy.exited).toBe(2);
  expect(proxy.output()).toMatch(/--workers: processes can't share a unix socket.*Leave it at 1, or give a port/);
});

test("more workers than connections: exit 2", async () => {
  await using proxy = spawnScript(bin, ["--app-port", "1", "--workers", "4", "--max-connections", "3"]);
  expect(await proxy.exited).toBe(2);
  expect(proxy.output()).toMatch(/--max-connections: 3 are too few to share out to 4 workers\. Give at least one/);
});

test("a time-out for workers that aren't there, and one that works would run into: exit 2", async () => {
  const problemOf = async (...flags: readonly string[]) => {
    await using proxy = spawnScript(bin, ["--app-port", "1", ...flags]);
    expect(await proxy.exited).toBe(2);
    return proxy.output();
  };
  expect(await problemOf("--worker-timeout", "10s")).toMatch(/--worker-timeout: there are no workers\. Give --workers/);
  expect(await problemOf("--workers", "2", "--worker-timeout", "10ms")).toMatch(/--worker-timeout: is too short/);
});

test("what the engine http-proxy doesn't do is refused with it, unless it is said to be off", async () => {
  const asked = ["max-body=1MiB", "max-requests=5", "min-body-rate=1kB", "upstream-wait=1s", "connect-timeout=1s"];
  const flags = ["http2", ...asked].map((one) => `--${one}`);
  await using proxy = spawnScript(bin, ["--app-port", "1", "--engine", "http-proxy", ...flags]);
  expect(await proxy.exited).toBe(2);
  for (const flag of flags)
    expect(proxy.output()).toContain(`${flag.replace(/=.*/, "")}: is not kept by --engine http-proxy`);
  const off = { http2: false, maxBody: 0, maxRequests: 0, minBodyRate: 0, upstreamWait: 0 };
  expect(() => tlsProxy({ appPort: 1, engine: "http-proxy", ...off })).not.toThrow();
});

test("what only HTTP has is refused with --mode tcp, whatever its value and wherever it was said: exit 2", async () => {
  const flags = ["--hsts", "365d", "--engine", "relay", "--http2=false", "--head-timeout", "20s"];
  const variables = { TLS_PROXY_TRUST_FORWARDED: "10.0.0.0/8", TLS_PROXY_MAX_BODY: "0", TLS_PROXY_REPAIR: "" };
  await using proxy = spawnScript(bin, ["--mode", "tcp", "--app-port", "1", ...flags], variables);
  expect(await proxy.exited).toBe(2);
  for (const name of [
    "--hsts",
    "--engine",
    "--http2",
    "--head-timeout",
    "TLS_PROXY_TRUST_FORWARDED",
    "TLS_PROXY_MAX_BODY",
  ])
    expect(proxy.output()).toContain(`${name}: is only for --mode http. Leave it out, or leave out --mode tcp`);
  expect(proxy.output()).not.toContain("TLS_PROXY_REPAIR");
});

/** What `--mode tcp` has a use for: a new option is in here, or is refused. */
const OF_TCP = [
  [
    "mode",
    "listen",
    "upstream",
    "appPort",
    "workers",
    "workerTimeout",
    "upstreamWait",
    "connectTimeout",
    "maxConnections",
  ],
  ["proxyProtocolFrom", "sendProxyProtocol", "alpn", "idleTimeout", "networkWatch", "allowShutdown"],
  ["cert", "key", "certDir", "sniStrict", "stateDir", "hostName", "tlsPolicy", "ticketRotation"],
  ["clientCa", "clientAuth", "allowClient"],
].flat();

test("each option has a use in --mode tcp or is refused with it", () => {
  const names = Object.keys(options.table) as (keyof typeof options.table)[];
  const refused = names.filter((name) => {
    const reasons: string[] = [];
    options.rules({ mode: "tcp", appPort: 1 }, (_about, reason) => reasons.push(reason), new Set([name]));
    return reasons.includes("is only for --mode http");
  });
  expect([...OF_TCP, ...refused].toSorted()).toEqual(names.toSorted());
});

test("--idle-timeout is refused without --mode tcp, with the names of what HTTP has: exit 2", async () => {
  await using proxy = spawnScript(bin, ["--app-port", "1", "--idle-timeout", "1h"]);
  expect(await proxy.exited).toBe(2);
  expect(proxy.output()).toMatch(/--idle-timeout: is only for --mode tcp; HTTP has --keep-alive-timeout and --stall/);
});

test("names for a development certificate that isn't made are refused", () => {
  const own = { appPort: 1, hostName: ["app.test"] };
  expect(() => tlsProxy({ ...own, certDir: "/certs" })).toThrow(/hostName: is only for .* and --cert-dir is given/);
  expect(() => tlsProxy({ ...own, cert: ["a"], key: ["a"] })).toThrow(/hostName: is only for .* and --cert is given/);
});

test("what listeners on http-proxy's events can't be had with is refused", () => {
  const custom = customTlsProxy(() => {});
  expect(() => custom({ appPort: 1, mode: "tcp" })).toThrow(/mode: has no http-proxy in it/);
  expect(() => custom({ appPort: 1, workers: "2" })).toThrow(/workers: don't have this program's listeners/);
  expect(() => custom({ appPort: 1, maxBody: "1MiB" })).toThrow(/maxBody: is not kept by --engine http-proxy/);
  expect(() => custom({ appPort: 1, engine: "relay" })).toThrow(/engine: is http-proxy here/);
  expect(() => custom({ upstream: "h2c://127.0.0.1:1" })).toThrow(/upstream: h2c/);
});
