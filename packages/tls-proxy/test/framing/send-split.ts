import { once } from "node:events";
import { setImmediate } from "node:timers/promises";
import { type SecureContext, type TLSSocket, connect, createSecureContext } from "node:tls";

/** Where bytes are sent to. */
export interface Target {
  readonly port: number;
  readonly context: SecureContext;
}

export function targetOf({ port, ca }: { readonly port: number; readonly ca: string }): Target {
  return { port, context: createSecureContext({ ca }) };
}

/** Connections at a time. */
const AT_A_TIME = 32;
/** After which what has come is all that is shown of an answer that isn't whole, milliseconds. */
const DEADLINE = 20_000;
/** Texts up to this length are cut at every place. */
const CUT_EVERYWHERE = 1024;

/** What came back for bytes sent whole, and for bytes sent in two writes, cut at every place. */
export async function sendCutEverywhere(target: Target, bytes: string, isWhole: IsWhole): Promise<string[]> {
  const places = cuts(bytes);
  const answers: string[] = [];
  await atATime(places.length, async (index) => {
    answers.push(await sendSplit(target, bytes, places[index] ?? 0, isWhole));
  });
  return answers;
}

/** Does something for each number below `count`, a few at a time. */
export async function atATime(count: number, run: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async () => {
    while (next < count) await run(next++);
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, worker));
}

/** Whether nothing more is waited for but the connection's end. */
export type IsWhole = (received: string) => boolean;

/** Sends bytes cut at a place (0: whole), and returns what came until it was whole, or the connection closed. */
export async function sendSplit(target: Target, bytes: string, cut: number, isWhole: IsWhole): Promise<string> {
  const socket = await open(target);
  let received = "";
  const { promise: done, resolve } = Promise.withResolvers<void>();
  socket.on("data", (data) => {
    received += data.toString("latin1");
    if (isWhole(received)) resolve();
  });
  socket.on("close", () => resolve());
  if (cut > 0) {
    await new Promise<void>((written) => socket.write(bytes.slice(0, cut), "latin1", () => written()));
    await setImmediate();
  }
  socket.write(bytes.slice(cut), "latin1", () => {});
  const timer = setTimeout(resolve, DEADLINE);
  await done;
  clearTimeout(timer);
  socket.destroy();
  return received;
}

async function open({ port, context }: Target): Promise<TLSSocket> {
  const socket = connect({
    port,
    host: "127.0.0.1",
    servername: "localhost",
    secureContext: context,
    ALPNProtocols: ["http/1.1"],
  });
  await once(socket, "secureConnect");
  socket.setNoDelay().on("error", () => {}); // 'close' follows
  return socket;
}

/** Every place; of a long text those next to line ends and to its ends, where a reader's state changes. */
function cuts(bytes: string): number[] {
  const places = Array.from({ length: bytes.length }, (_, index) => index);
  if (bytes.length <= CUT_EVERYWHERE) return places;
  const nearLineEnd = (place: number) => /[\r\n]/.test(bytes.slice(place - 1, place + 1));
  const near = places.filter(nearLineEnd);
  return [0, 1, bytes.length >> 1, bytes.length - 1, ...near.slice(0, 20), ...near.slice(-20)];
}
