import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { type Socket, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { expect, test, vi } from "vitest";
import { connectTo, startProxy } from "./start-proxy.ts";

const KIB = 1024;
const ANSWER = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";

test("an app that answers and leaves a body unread doesn't stop its client's next request", async () => {
  const directory = await mkdtemp(join(tmpdir(), "tls-proxy-paused-"));
  // A unix socket's buffers have one size, so that one of the bodies stops the client with its last bytes.
  const path = join(directory, "app.sock");
  const uploads: Socket[] = [];
  const app = createServer((socket) => {
    socket
      .on("error", () => {})
      .once("data", (bytes) => {
        if (bytes.includes("GET /next")) return socket.write(ANSWER);
        return uploads.push(socket.pause());
      });
  }).listen(path);
  await once(app, "listening");
  await using proxy = await startProxy({ path });
  for (let size = 128 * KIB; size < 640 * KIB; size += 8 * KIB) {
    const client = await connectTo(proxy);
    client.send(`POST / HTTP/1.1\r\nHost: app\r\nContent-Length: ${size}\r\n\r\n`);
    await new Promise((written) => client.socket.write(Buffer.alloc(size), written));
    await delay(10); // until the proxy has read what it will: there is nothing to see of it
    const upload = await vi.waitUntil(() => uploads.pop());
    upload.write(ANSWER);
    await client.receives(/ok$/);
    client.send("GET /next HTTP/1.1\r\nHost: app\r\nConnection: close\r\n\r\n");
    expect((await client.closed).match(/200 OK/g)).toHaveLength(2);
    upload.destroy();
  }
  app.close();
  await rm(directory, { recursive: true });
}, 15_000);
