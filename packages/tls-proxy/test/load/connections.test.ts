import { once } from "node:events";
import { readFile, readdir } from "node:fs/promises";
import { type ConnectionOptions, type TLSSocket, connect, createSecureContext } from "node:tls";
import { expect, test, vi } from "vitest";
import { OK, answering, startRawApp } from "../raw-app.ts";
import { type StartedCommand, startCommand } from "../start-command.ts";

const CONNECTIONS = 10_000;
/** Each address of this machine's own has ports of its own. */
const SOURCES = ["127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5"];
/** Handshakes under way at a time; fewer than wait in a listener's queue. */
const AT_A_TIME = 100;
const GET = "GET / HTTP/1.1\r\nHost: app\r\n\r\n";

/** Node itself raises what it may open to the hard limit; that can't be raised here. */
const limit = Number(/^Max open files\s+\S+\s+(\d+)/m.exec(await readFile("/proc/self/limits", "utf8"))?.[1]);
const suffices = limit >= CONNECTIONS + 2_000;
if (!suffices) console.log(`skipped, as only ${limit} files may be open: ulimit -Hn ${CONNECTIONS + 2_000}`);

/** Does something with all of them, so many at a time. */
async function each<Item>(items: readonly Item[], act: (item: Item, index: number) => Promise<void>): Promise<void> {
  const entries = items.entries();
  const worker = async () => {
    for (const [index, item] of entries) await act(item, index);
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, worker));
}

async function open({ port }: StartedCommand, source: string, how: ConnectionOptions): Promise<TLSSocket> {
  const socket = connect({
    ...how,
    host: "127.0.0.1",
    port,
    localAddress: source,
    servername: "localhost",
  } as ConnectionOptions);
  await once(socket, "secureConnect");
  return socket;
}

/** Asks once and waits for the whole answer. */
async function ask(socket: TLSSocket): Promise<void> {
  socket.write(GET);
  let answer = "";
  while (!answer.endsWith("\r\n\r\nok")) {
    const [bytes] = (await once(socket, "data")) as [Buffer];
    answer += bytes.toString("latin1");
  }
  if (!answer.startsWith("HTTP/1.1 200 ")) throw new Error(answer);
}

test.runIf(suffices)(
  "ten thousand connections, most of them idle: all are served, none is dropped, all are freed",
  async () => {
    await using app = await startRawApp(answering(OK));
    await using proxy = await startCommand(app.port);
    const openFiles = async () => (await readdir(`/proc/${proxy.process.pid}/fd`)).length;
    const memory = async () =>
      /^VmRSS:\s+(\d+)/m.exec(await readFile(`/proc/${proxy.process.pid}/status`, "utf8"))?.[1];
    const [before, memoryBefore] = [await openFiles(), await memory()];
    // What this one process saves as a client, the proxy has for itself: there are two processors.
    const secureContext = createSecureContext({ ca: proxy.ca, ecdhCurve: "X25519" });
    const first = await open(proxy, "127.0.0.2", { secureContext });
    const [session] = (await Promise.all([once(first, "session"), ask(first)]))[0] as [Buffer];
    first.destroy();
    const how = { secureContext, session };
    const sockets: TLSSocket[] = [];
    let dropped = 0;
    const began = performance.now();
    await each(Array.from({ length: CONNECTIONS }), async (_none, index) => {
      const socket = await open(proxy, SOURCES[index % SOURCES.length] ?? "", how);
      socket.on("close", () => dropped++);
      await ask(socket);
      sockets.push(socket);
    });
    const opened = performance.now();
    expect(await proxy.metric("tls_proxy_connections")).toBe(CONNECTIONS);
    const memoryWith = await memory();
    // Some are at work all the time, and then each of the others once more.
    for (let round = 0; round < 5; round++) await each(sockets.slice(0, 200), ask);
    await each(sockets, ask);
    const served = performance.now();
    expect(dropped).toBe(0);
    expect(await proxy.metric("tls_proxy_connections")).toBe(CONNECTIONS);
    for (const socket of sockets) socket.destroy();
    await vi.waitFor(async () => expect(await proxy.metric("tls_proxy_connections")).toBe(0), 20_000);
    // What is left are connections to the app.
    await vi.waitFor(async () => expect(await openFiles()).toBeLessThanOrEqual(before + app.open.size), 5_000);
    console.log(
      `opened in ${Math.round(opened - began)} ms, asked again in ${Math.round(served - opened)} ms, ` +
        `freed in ${Math.round(performance.now() - served)} ms; resident ${memoryBefore} kB, ${memoryWith} kB with all`,
    );
  },
  120_000,
);
