import type { Socket } from "node:net";
import { countBuffer } from "../young-buffers.ts";

/**
 * Gives a socket's bytes to `take` as they come. While the socket flows and nothing is buffered, they go around the
 * stream's own buffering, which costs about 0.7 µs a read; otherwise, and if Node should ever stop handing them to
 * `push`, they come as 'data' events.
 *
 * @param saidAll called when the other side has said all, even if the socket is paused: 'end' waits until all was taken
 */
export function readDirectly(socket: Socket, take: (bytes: Buffer) => void, saidAll?: () => void): void {
  const buffer = socket.push.bind(socket);
  socket.push = (chunk: unknown, encoding?: BufferEncoding) => {
    if (chunk === null) saidAll?.();
    if (chunk === null || socket.readableLength > 0 || socket.readableFlowing !== true) return buffer(chunk, encoding);
    countBuffer((chunk as Buffer).length);
    take(chunk as Buffer);
    return true;
  };
  socket.on("data", take);
}
