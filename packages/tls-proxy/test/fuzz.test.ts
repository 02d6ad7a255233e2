import { randomBytes } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Spawned, spawnScript } from "@pillion/kit/testing";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { captureClientHello, playBeforeTls, playWithinTls } from "./fuzz/client.ts";
import { type Case, TOKEN, handshakeCase, httpCase } from "./fuzz/traffic.ts";
import { type Recorder, startRecorder } from "./readers/recorder.ts";
import { exchange } from "./start-proxy.ts";

const bin = fileURLToPath(new URL("../bin/tls-proxy.js", import.meta.url));
const SEED = Number(process.env["FUZZ_SEED"] ?? 20_261_128);
const CASES = Number(process.env["FUZZ_CASES"] ?? 500);
const CLIENTS = 16;

let stateDir: string;
let app: Recorder;
let proxy: Spawned;
let target: { port: number; ca: string };
let admin: string;
const issued = new Set<string>();

beforeAll(async () => {
  console.log(`FUZZ_SEED=${SEED} FUZZ_CASES=${CASES}`);
  stateDir = await mkdtemp(join(tmpdir(), "tls-proxy-fuzz-"));
  app = await startRecorder(({ target: path, odd, body }) => `${path} ${odd} ${body}`);
  const addresses = ["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--state-dir", stateDir];
  proxy = spawnScript(bin, ["--app-port", `${app.port}`, ...addresses]);
  const [started] = await proxy.says(/\{[^\n]*"msg":"started"[^\n]*\}/);
  const { https, admin: adminAddress } = JSON.parse(started) as Record<"https" | "admin", string>;
  admin = adminAddress;
  target = {
    port: Number(https.split(":").at(-1)),
    ca: await readFile(join(stateDir, "development-ca/ca.pem"), "utf8"),
  };
});

afterAll(async () => {
  await proxy[Symbol.asyncDispose]();
  await app[Symbol.asyncDispose]();
  await rm(stateDir, { recursive: true });
});

test("damaged HTTP gets an answer or an end, and nobody sees what is another's", async () => {
  const counts = new Map<string, number>();
  await playAll(fc.sample(httpCase, { seed: SEED, numRuns: CASES }), async (one) => {
    const token = `T${randomBytes(8).toString("hex")}T`;
    issued.add(token);
    const received = await playWithinTls(target, { ...one, bytes: one.bytes.replaceAll(TOKEN, token) });
    expect(tokensIn(received).filter((other) => other !== token)).toEqual([]);
    for (const [, status = ""] of received.matchAll(/HTTP\/1\.1 (\d{3}) /g))
      counts.set(status, (counts.get(status) ?? 0) + 1);
  });
  for (const { target: path, odd, body } of app.take())
    expect(new Set(tokensIn(`${path} ${odd} ${body}`)).size).toBeLessThanOrEqual(1);
  console.log(Object.fromEntries(counts));
  expect(counts.get("200")).toBeGreaterThan(CASES / 2);
  await vi.waitFor(async () => expect(await state()).toEqual(UNHARMED), 10_000);
});

test("what isn't a handshake comes to an end", async () => {
  const hello = await captureClientHello();
  await playAll(fc.sample(handshakeCase(hello), { seed: SEED, numRuns: CASES }), async (one) => {
    await playBeforeTls(target, one);
  });
  await vi.waitFor(async () => expect(await state()).toEqual(UNHARMED), 10_000);
});

/** So many at a time that they share the connections to the app. */
async function playAll(cases: readonly Case[], play: (one: Case) => Promise<void>): Promise<void> {
  const left = [...cases];
  const playOn = async () => {
    for (let one = left.pop(); one !== undefined; one = left.pop()) await play(one);
  };
  await Promise.all(Array.from({ length: CLIENTS }, playOn));
}

/** Those that somebody has; a damaged one isn't anybody's. */
const tokensIn = (text: string): string[] => (text.match(/T[\da-f]{16}T/g) ?? []).filter((token) => issued.has(token));

/** What must hold when all have left. */
const UNHARMED = { answer: "200 OK", exitCode: null, complaint: undefined, clients: 0, keptToApp: true };

async function state(): Promise<typeof UNHARMED | Record<string, unknown>> {
  const text = await exchange(target, "GET /alive HTTP/1.1\r\nHost: app\r\nConnection: close\r\n\r\n");
  const metrics = await (await fetch(`http://${admin}/metrics`)).text();
  return {
    answer: text.slice("HTTP/1.1 ".length, text.indexOf("\r")),
    exitCode: proxy.process.exitCode,
    complaint: /.*(unexpected error|"level":"(error|fatal)").*/.exec(proxy.output())?.[0],
    clients: Number(/^tls_proxy_connections(?:\{[^}]*\})? (\d+)$/m.exec(metrics)?.[1] ?? Number.NaN),
    // No more than were in use at a time.
    keptToApp: app.open <= CLIENTS,
  };
}
