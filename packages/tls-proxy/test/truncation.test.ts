import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, test, vi } from "vitest";
import { startRawApp } from "./raw-app.ts";
import { startProxy } from "./start-proxy.ts";

const PART = "a part";
const ANSWERS = {
  "by length": `HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n${PART}`,
  "in chunks": `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\n${PART}\r\n`,
  "until its connection closes": `HTTP/1.0 200 OK\r\n\r\n${PART}`,
};

/** On a busy machine as well. */
const eventually = (check: () => void) => vi.waitFor(check, 10_000);

/** An end without a break is all that a close-delimited answer says of its end (RFC 9112 §8), so that one is whole. */
test.each([
  ["by length", "reset", "--http1.1"],
  ["by length", "end", "--http1.1"],
  ["by length", "reset", "--http1.0"],
  ["by length", "end", "--http1.0"],
  ["in chunks", "reset", "--http1.1"],
  ["in chunks", "end", "--http1.1"],
  ["in chunks", "reset", "--http1.0"],
  ["in chunks", "end", "--http1.0"],
  ["until its connection closes", "reset", "--http1.1"],
  ["until its connection closes", "reset", "--http1.0"],
] as const)(
  "an app that dies in an answer delimited %s (%s): curl %s sees that it is cut off",
  async (framing, how, version) => {
    await using app = await startRawApp((socket) => void socket.write(ANSWERS[framing]));
    await using proxy = await startProxy(app.port);
    const curl = spawn("curl", [
      "-sS",
      "-N",
      version,
      "--no-alpn",
      "--ipv4",
      "--cacert",
      proxy.caPath,
      `https://localhost:${proxy.port}/`,
    ]);
    let [body, complaint] = ["", ""];
    curl.stderr.on("data", (bytes) => (complaint += bytes));
    curl.stdout.on("data", (bytes) => (body += bytes));
    await eventually(() => expect(body).toBe(PART));
    for (const socket of app.open) {
      if (how === "reset") socket.resetAndDestroy();
      else socket.end();
    }
    const [code] = await once(curl, "close");
    expect([18, 56], complaint).toContain(code);
    expect(body).toBe(PART);
    await eventually(() => expect([app.open.size, proxy.front.open]).toEqual([0, 0]));
    expect(proxy.told.at(-1)).toBe("answered 200");
    expect(proxy.told).toContain(how === "reset" ? "failed ECONNRESET" : "failed the app closed the connection");
  },
);
