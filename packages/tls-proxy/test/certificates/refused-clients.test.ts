import { createHash, X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { expect, test, vi } from "vitest";
import { open } from "./handshake.ts";
import { get, issue, path, start, strangers } from "./judged-clients.ts";

test.each(["relay", "http-proxy"] as const)(
  "the access log says whose certificate was refused, and why, with the engine %s",
  async (engine) => {
    const [file, http2] = [path("access.log"), false];
    await using proxy = await start({ engine, http2, allowClient: ["cn=web"], accessLog: "json", accessLogFile: file });
    const hostile = { CN: ['a"\r\n\u001b[31m\u00e4'] };
    for (const client of [
      await issue({ subject: [hostile] }, strangers),
      await issue({ subject: "CN=other" }),
      undefined,
    ])
      expect(await get(proxy.port, client)).toMatch(/403/);
    await vi.waitFor(async () => expect((await readFile(file, "latin1")).trim().split("\n")).toHaveLength(3));
    const lines = (await readFile(file, "latin1")).trim().split("\n");
    expect(lines.join("")).toMatch(/^[\x20-\x7e]+$/);
    const entries = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(entries).toMatchObject([
      { status: 403, outcome: "refused", reason: expect.stringMatching(/not trusted \(UNABLE_/) },
      { status: 403, clientSubject: "CN=other", reason: expect.stringMatching(/not allowed/) },
      { status: 403, reason: expect.stringMatching(/none was presented/) },
    ]);
    for (const entry of entries) expect(entry).toMatchObject({ method: "GET", target: "/", host: "app.test" });
    expect(entries[0]?.["clientSubject"]).toMatch(/^CN=a.*\\C3\\A4$/);
    expect(entries[2]).not.toHaveProperty("clientSubject");
  },
);

test("in --mode tcp a refused client leaves a line: who, why, by which code of OpenSSL's", async () => {
  await using proxy = await start({ mode: "tcp" });
  const refusals = () => proxy.log.filter(({ msg }) => /aborted for its certificate/.test(String(msg)));
  const stranger = await issue({ subject: `CN=${"x".repeat(60)},${"OU=y,".repeat(60)}O=z` }, strangers);
  for (const client of [undefined, stranger]) {
    const socket = await open(proxy.port, { servername: "app.test", ...client });
    await new Promise((resolve) => socket.resume().once("close", resolve)); // a reset is an error to the client
  }
  await vi.waitFor(() => expect(refusals()).toHaveLength(2));
  const [without, strange] = refusals();
  expect(without).toMatchObject({
    level: "warn",
    client: "127.0.0.1",
    reason: expect.stringMatching(/none was presented/),
  });
  const fingerprint = createHash("sha256").update(new X509Certificate(stranger.cert).raw).digest("hex");
  expect(strange).toMatchObject({ fingerprint, reason: expect.stringMatching(/not trusted \(UNABLE_/), times: 2 });
  expect(String(strange?.["subject"]).length).toBe(195);
  expect(JSON.stringify(refusals())).not.toContain("PRIVATE");
});
