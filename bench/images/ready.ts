import { connect } from "node:net";
import { setTimeout as wait } from "node:timers/promises";

const PATIENCE = 30_000;

/** Asks `/readyz` of a loopback port, each millisecond anew, until it answers 200. @throws Error after half a minute */
export async function untilReady(port: number, signal?: AbortSignal): Promise<void> {
  const deadline = performance.now() + PATIENCE;
  while (!(await answersOk(port))) {
    if (performance.now() > deadline) throw new Error(`nothing is ready on port ${port} after ${PATIENCE / 1000} s`);
    await wait(1, undefined, signal && { signal });
  }
}

/** A bare socket: an HTTP client would add its own time to be loaded. */
function answersOk(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect({ host: "127.0.0.1", port });
  const end = (ok: boolean) => {
    socket.destroy();
    resolve(ok);
  };
  socket.setTimeout(1000, () => end(false));
  socket.once("data", (bytes) => end(bytes.toString("latin1").startsWith("HTTP/1.1 200 ")));
  socket.once("error", () => end(false));
  socket.once("close", () => end(false));
  socket.write("GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  return promise;
}
