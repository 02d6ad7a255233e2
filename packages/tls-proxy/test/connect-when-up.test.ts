import { spawn } from "node:child_process";
import { once } from "node:events";
import { type Socket, connect } from "node:net";
import { expect, test, vi } from "vitest";
import { connectWhenUp } from "../src/upstream/connect-when-up.ts";
import { startTcpApp } from "./start-tcp.ts";

const never = new AbortController().signal;
const times = { wait: 0, connectTimeout: 5_000, signal: never };

test("nobody listens: asked again until the wait is over, then its error", async () => {
  const app = await startTcpApp(() => {});
  await app[Symbol.asyncDispose]();
  const refused: unknown[] = [];
  const options = { ...times, wait: 100, onRefused: (error: unknown) => refused.push(error) };
  const startedAt = performance.now();
  await expect(connectWhenUp({ host: "127.0.0.1", port: app.port }, options)).rejects.toThrow(/ECONNREFUSED/);
  expect(performance.now() - startedAt).toBeGreaterThan(95);
  expect(refused.length).toBeGreaterThan(2);
});

test("what waiting can't mend is an error at once", async () => {
  const options = { ...times, wait: 60_000 };
  await expect(connectWhenUp({ path: `${import.meta.filename}/app.sock` }, options)).rejects.toThrow(/ENOTDIR/);
});

test("a client that leaves ends the wait", async () => {
  const gone = new AbortController();
  const options = { ...times, wait: 60_000, signal: gone.signal, onRefused: () => gone.abort() };
  await expect(connectWhenUp({ path: "/nonexistent/app.sock" }, options)).rejects.toMatchObject({ name: "AbortError" });
});

test("an app that is too busy to accept: the connection has its time-out", async () => {
  // A stopped process with a short queue: what doesn't fit into it gets no answer.
  const script = `const server = require("net").createServer().listen({ port: 0, host: "127.0.0.1", backlog: 1 },
    () => console.log(server.address().port))`;
  const app = spawn(process.execPath, ["-e", script], { stdio: ["ignore", "pipe", "inherit"] });
  const port = Number(String((await once(app.stdout, "data"))[0]));
  app.kill("SIGSTOP");
  const queued: Socket[] = Array.from({ length: 4 }, () => connect(port, "127.0.0.1").on("error", () => {}));
  await vi.waitFor(() => expect(queued.filter(({ connecting }) => !connecting).length).toBeGreaterThanOrEqual(2));
  const attempt = connectWhenUp({ host: "127.0.0.1", port }, { ...times, connectTimeout: 200 });
  await expect(attempt).rejects.toMatchObject({ code: "ETIMEDOUT" });
  for (const socket of queued) socket.destroy();
  app.kill("SIGKILL");
  await once(app, "exit");
});

test("the time-out is for connecting alone", async () => {
  await using app = await startTcpApp(() => {});
  const socket = await connectWhenUp({ host: "127.0.0.1", port: app.port }, { ...times, connectTimeout: 50 });
  expect(socket.timeout).toBe(0);
  expect(socket.listenerCount("timeout")).toBe(0);
  socket.destroy();
});
