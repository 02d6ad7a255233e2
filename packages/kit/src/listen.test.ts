import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { type Socket, connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, onTestFinished, test } from "vitest";
import { type Address, formatAddress } from "./address.ts";
import { listen, listenHttp } from "./listen.ts";
import { Routes, sendText } from "./routes.ts";

const directory = mkdtempSync(join(tmpdir(), "listen-"));
afterAll(() => rmSync(directory, { recursive: true }));

async function listening(address: Address): Promise<Address> {
  const server = createServer();
  onTestFinished(() => void server.close());
  return await listen(server, address, "--listen");
}
const portOf = (address: Address) => ("port" in address ? address.port : 0);

test("port 0 becomes a real one, and the host stays as it was given", async () => {
  const address = await listening({ host: "127.0.0.1", port: 0 });
  expect(address).toEqual({ host: "127.0.0.1", port: expect.toSatisfy((port: number) => port > 0) });
  expect(await listening({ host: "", port: 0 })).toMatchObject({ host: "" });
});

test("a port in use is told with the option and the remedy", async () => {
  const address = await listening({ host: "127.0.0.1", port: 0 });
  await expect(listening(address)).rejects.toMatchObject({
    code: "LISTEN_FAILED",
    message: `--listen "${formatAddress(address)}": the address is in use. Stop what listens there, or choose another with --listen`,
    cause: expect.objectContaining({ code: "EADDRINUSE" }),
  });
});

test("an address of another machine and a name that nobody knows are told apart", async () => {
  await expect(listening({ host: "192.0.2.1", port: 0 })).rejects.toThrow(
    '--listen "192.0.2.1:0": this machine has no such address. Choose one of its own',
  );
  await expect(listening({ host: "no.invalid", port: 0 })).rejects.toMatchObject({ code: "LISTEN_FAILED" });
});

test("a socket in a directory that isn't there is told with the remedy", async () => {
  await expect(listening({ path: `${directory}/none/app.sock` })).rejects.toThrow(
    "this user may not listen there. Choose a port from 1024 up, or a directory that exists and that it may write with --listen",
  );
});

test("the socket that a killed process left behind is taken over", async () => {
  const path = join(directory, "abandoned.sock");
  const script = `require("net").createServer().listen(${JSON.stringify(path)}, () => console.log("up"))`;
  const child = spawn(process.execPath, ["-e", script], { stdio: ["ignore", "pipe", "inherit"] });
  await once(child.stdout, "data");
  child.kill("SIGKILL");
  await once(child, "close");
  expect(existsSync(path)).toBe(true);
  await listening({ path });
  const client = connect(path);
  await once(client, "connect");
  client.destroy();
});

test("a socket that somebody answers on is not", async () => {
  const path = join(directory, "live.sock");
  await listening({ path });
  await expect(listening({ path })).rejects.toThrow(`--listen "unix:${path}": the address is in use`);
});

test("a file that is no socket is never removed, and said to be one", async () => {
  const path = join(directory, "precious");
  writeFileSync(path, "data");
  await expect(listening({ path })).rejects.toMatchObject({
    code: "LISTEN_FAILED",
    message: `--listen "unix:${path}": another file is there, which is no socket. Take it away, or choose another path with --listen`,
  });
  expect(readFileSync(path, "utf8")).toBe("data");
});

/** A server with one slow page, a connection to it, and what releases the page. */
async function slowServer() {
  const release = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<void>();
  const routes = new Routes(() => {});
  routes.add("GET /slow", async (_request, response) => {
    asked.resolve();
    await release.promise;
    sendText(response, 200, "done\n");
  });
  const server = await listenHttp(routes, { host: "127.0.0.1", port: 0 }, "--listen");
  const open = async (text: string): Promise<Socket> => {
    const socket = connect(portOf(server.address), "127.0.0.1").setEncoding("utf8");
    socket.on("error", () => {});
    await once(socket, "connect");
    socket.write(text);
    return socket;
  };
  return { server, open, asked: asked.promise, release: () => release.resolve() };
}

test("closing waits for an answer under way", async () => {
  const { server, open, asked, release } = await slowServer();
  const socket = await open("GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n");
  await asked;
  let closed = false;
  const closing = server.close(new AbortController().signal).then(() => (closed = true));
  await expect(listening(server.address).then(() => "free")).resolves.toBe("free");
  expect(closed).toBe(false);
  release();
  let text = "";
  for await (const part of socket) text += part;
  await closing;
  expect(text).toMatch(/^HTTP\/1\.1 200 [\s\S]*done\n$/);
});

test("at the deadline it cuts the answer off and says so", async () => {
  const { server, open, asked } = await slowServer();
  const socket = await open("GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n");
  await asked;
  await expect(server.close(AbortSignal.abort())).rejects.toMatchObject({
    code: "CUT_OFF",
    message: expect.stringContaining("answers under way: 1"),
  });
  if (!socket.closed) await once(socket, "close");
});

test("idle connections and half a request don't hold it open", async () => {
  const { server, open } = await slowServer();
  const sockets = await Promise.all(["", "GET /sl", "GET /none HTTP/1.1\r\nHost: localhost\r\n\r\n"].map(open));
  const [, , kept] = sockets;
  if (kept) await once(kept, "data");
  await server.close();
  for (const socket of sockets) if (!socket.closed) await once(socket.resume(), "close");
  expect(sockets.map(({ closed }) => closed)).toEqual([true, true, true]);
});
