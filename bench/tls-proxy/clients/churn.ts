/**
 * `churn.ts PORT CERTIFICATE SECONDS`: clients that come, ask, leave, or break off in the middle, and at its end a line of
 * what was answered and what was broken off.
 */
import { once } from "node:events";
import { ask, open } from "./connection.ts";

const seconds = Number(process.argv[4]);
const CLIENTS = 32;
const REQUESTS = 5;
const HEAD = "Host: localhost\r\n";

const done = { answered: 0, brokenOff: 0 };
const until = performance.now() + seconds * 1000;
let session: Buffer | undefined;

/** What clients do, in turn. */
const manners: readonly (() => Promise<void>)[] = [
  async () => {
    const socket = await open();
    socket.on("session", (ticket) => (session = ticket));
    for (let request = 0; request < REQUESTS; request++) await ask(socket);
    socket.end();
    done.answered += REQUESTS;
  },
  async () => {
    const socket = await open(session);
    await ask(socket);
    socket.destroy();
    done.answered++;
  },
  async () => {
    const socket = await open();
    socket.write(`GET /1m HTTP/1.1\r\n${HEAD}\r\n`);
    await once(socket, "data");
    breakOff(socket);
  },
  async () => {
    const socket = await open();
    socket.write(`POST /upload HTTP/1.1\r\n${HEAD}Content-Length: 1048576\r\n\r\n`);
    await new Promise((resolve) => socket.write(Buffer.alloc(100_000), resolve));
    breakOff(socket);
  },
  async () => {
    const socket = await open();
    await new Promise((resolve) => socket.write("GET /1k HT", resolve));
    breakOff(socket);
  },
  async () => breakOff(await open()),
];

await Promise.all(Array.from({ length: CLIENTS }, (_, client) => live(client)));
console.log(JSON.stringify(done));

async function live(client: number): Promise<void> {
  for (let turn = client; performance.now() < until; turn++) await manners[turn % manners.length]?.();
}

function breakOff(socket: { destroy(): void }): void {
  socket.destroy();
  done.brokenOff++;
}
