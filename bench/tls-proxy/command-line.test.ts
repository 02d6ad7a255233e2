import { expect, test } from "vitest";
import { parseCommandLine } from "./command-line.ts";

const names = (args: readonly string[]) => {
  const { measurements, proxies } = parseCommandLine(args);
  return { measurements: measurements.map(({ name }) => name), proxies: proxies.map(({ name }) => name) };
};

test("without options everything is measured, with every peer, and written", () => {
  const wanted = parseCommandLine([]);
  expect(wanted).toMatchObject({ runs: 5, seconds: 5, cores: ["0", "1"], write: true });
  expect(names([]).measurements).toEqual(expect.arrayContaining(["http1-1k", "handshake-resumed", "idle", "churn"]));
  expect(names([]).proxies).toEqual(expect.arrayContaining(["nginx", "relay", "http-proxy", "hitch"]));
});

test("a part of it writes nothing, unless that is asked for", () => {
  expect(parseCommandLine(["--only", "http1"]).write).toBe(false);
  expect(parseCommandLine(["--seconds", "1", "--write"]).write).toBe(true);
  expect(parseCommandLine(["--churn", "10m"])).toMatchObject({ churn: 600, write: true });
});

test("a name stands for itself, or for all that begin so", () => {
  expect(names(["--only", "http1"]).measurements).toEqual(["http1-1k", "http1-1m-down", "http1-1m-up"]);
  expect(names(["--only", "handshake-full,idle"]).measurements).toEqual(["handshake-full", "idle"]);
  expect(names(["--peers", "http-proxy,nginx"]).proxies).toEqual(["nginx", "http-proxy"]);
});

test("a command of one's own is measured beside them", () => {
  const { proxies } = parseCommandLine(["--peers", "nginx", "--command", "mine=node x.js --listen {port}"]);
  expect(proxies.at(-1)).toMatchObject({ name: "mine", line: ["node", "x.js", "--listen", "{port}"] });
});

test.each([
  [["--peers", "nope"], /--peers "nope": not known. There are nginx, /],
  [["--only", "http"], /--only "http": not known/],
  [["--runs", "0"], /--runs "0"/],
  [["--seconds", "1.5"], /--seconds "1.5"/],
  [["--churn", "10"], /--churn "10": not a duration/],
  [["--cores", "0"], /--cores "0"/],
  [["--command", "node x.js"], /--command "node x.js": no name/],
  [["--quik"], /--quik/],
])("%s is refused with the reason", (args, reason) => {
  expect(() => parseCommandLine(args)).toThrow(reason);
});
