import { once } from "node:events";
import { type AddressInfo, type Socket, createServer } from "node:net";
import { setImmediate } from "node:timers/promises";

/** What an app answers, and where its bytes are cut in two. */
export interface Scripted {
  readonly answer: string;
  readonly closes: boolean;
}

export interface AnsweringApp extends AsyncDisposable {
  readonly port: number;
  /** How many connections have come. */
  accepted: number;
  /** What is answered from now on. A request to `/17` gets it cut behind 17 bytes; one to `/0`, whole. */
  script: Scripted;
}

/** An app that answers every request, whose body it doesn't expect, with the same bytes. */
export async function startAnsweringApp(): Promise<AnsweringApp> {
  const open = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    let received = "";
    open.add(socket);
    app.accepted++;
    socket.on("close", () => open.delete(socket)).on("error", () => {});
    socket.on("data", (bytes) => {
      received += bytes.toString("latin1");
      if (!received.endsWith("\r\n\r\n")) return;
      const cut = Number(/^\S+ \/(\d+) /.exec(received)?.[1] ?? 0);
      received = "";
      void answer(socket, app.script, cut);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const app: AnsweringApp = {
    port: (server.address() as AddressInfo).port,
    accepted: 0,
    script: { answer: "", closes: true },
    async [Symbol.asyncDispose]() {
      for (const socket of open) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
  return app;
}

async function answer(socket: Socket, script: Scripted, cut: number): Promise<void> {
  if (cut > 0) {
    await new Promise<void>((written) => socket.write(script.answer.slice(0, cut), "latin1", () => written()));
    // The proxy, in the same process, reads the first part before the second one is written.
    for (let turn = 0; turn < 3; turn++) await setImmediate();
  }
  socket.write(script.answer.slice(cut), "latin1");
  if (script.closes) socket.end();
}
