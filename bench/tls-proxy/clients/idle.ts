/** `idle.ts PORT CERTIFICATE COUNT`: opens so many connections, asks once on each, says so, and holds them. */
import type { TLSSocket } from "node:tls";
import { ask, open } from "./connection.ts";

const count = Number(process.argv[4]);
/** Handshakes at a time. */
const AT_ONCE = 32;

const held: TLSSocket[] = [];
let begun = 0;
const openAll = async () => {
  while (begun++ < count) {
    const socket = await open();
    held.push(socket);
    await ask(socket);
    socket.on("close", () => {
      throw new Error("the proxy closed a connection");
    });
  }
};
await Promise.all(Array.from({ length: AT_ONCE }, openAll));
console.log(`open: ${held.length}`);
