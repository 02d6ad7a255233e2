import { expect, test } from "vitest";
import { parseH2load, whatIsWrong } from "./h2load.ts";

const output = `starting benchmark...
spawning thread #0: 64 total client(s). 51200 total requests
TLS Protocol: TLSv1.3
Cipher: TLS_AES_128_GCM_SHA256
Server Temp Key: X25519 253 bits
Application protocol: http/1.1
progress: 100% done

finished in 907.39ms, 56425.57 req/s, 65.21MB/s
requests: 51200 total, 51200 started, 51200 done, 51200 succeeded, 0 failed, 0 errored, 0 timeout
status codes: 51200 2xx, 0 3xx, 0 4xx, 0 5xx
traffic: 59.17MB (62041600) total, 8.40MB (8806400) headers (space savings 0.00%), 50.00MB (52428800) data
                     min         max         mean         sd        +/- sd
time for request:       49us      4.39ms       102us        88us    97.15%
`;
const expected = { protocol: "http/1.1", length: 1024, inFlight: 64 } as const;

test("h2load's output says how many requests succeeded, in which time, and how", () => {
  expect(parseH2load(output)).toEqual({
    requests: 51_200,
    elapsed: 0.90739,
    failed: 0,
    statuses: { "2xx": 51_200, "3xx": 0, "4xx": 0, "5xx": 0 },
    bodyBytes: 52_428_800,
    protocol: "http/1.1",
    tlsVersion: "TLSv1.3",
  });
});

test.each([
  ["2.01s", 2.01],
  ["850us", 0.000_85],
])("a run that finished in %s took %d seconds", (text, seconds) => {
  expect(parseH2load(output.replace("907.39ms", text)).elapsed).toBeCloseTo(seconds, 9);
});

test("output that stops before the end is no result", () => {
  expect(() => parseH2load(output.slice(0, output.indexOf("finished")))).toThrow(/has no/);
});

test("a run in which every answer is the expected one counts", () => {
  expect(whatIsWrong(parseH2load(output), 51_200, expected)).toBeUndefined();
});

test.each([
  ["an answer that was an error", "51200 2xx, 0 3xx, 0 4xx, 0 5xx", "51199 2xx, 0 3xx, 0 4xx, 1 5xx", /not all 2xx/],
  ["a request that failed", "51200 succeeded, 0 failed", "51199 succeeded, 1 failed", /1 requests failed/],
  ["a connection that broke", "0 errored", "3 errored", /3 requests failed/],
  ["an answer that took too long", "0 timeout", "2 timeout", /2 requests failed/],
  ["a body that was shorter", "(52428800) data", "(52428799) data", /52428799 bytes/],
  ["another protocol", "protocol: http/1.1", "protocol: h2", /spoke h2/],
  ["another TLS version", "TLSv1.3", "TLSv1.2", /spoke TLSv1.2/],
])("%s is told and doesn't count", (_, from, to, reason) => {
  expect(whatIsWrong(parseH2load(output.replace(from, to)), 51_200, expected)).toMatch(reason);
});
