import { type RawApp, startRawApp } from "../raw-app.ts";
import { MessageReader } from "./message-reader.ts";
import { ANSWER } from "./reading-app.ts";
import { SLOPPY_READERS, readSloppily } from "./sloppy-readers.ts";

/** An app of which it is judged whether what reaches it is the same to every reader. */
export interface JudgedApp extends AsyncDisposable {
  readonly port: number;
  /**
   * Of all that reached it since the last call: what the standard doesn't let a proxy send, and the readers to which it is
   * something else than to the one that reads to the letter, or that find a request to `/smuggled`.
   */
  differences(): string[];
}

/** It answers each request that is whole to the letter, and ends a connection with what isn't by the standard. */
export async function startJudgedApp(): Promise<JudgedApp> {
  const readers = new WeakMap<object, { reader: MessageReader; read: number }>();
  const faults: string[] = [];
  const app: RawApp = await startRawApp((socket, received) => {
    const state = readers.get(socket) ?? { reader: new MessageReader(), read: 0 };
    readers.set(socket, state);
    const more = received.slice(state.read);
    state.read = received.length;
    try {
      for (let count = state.reader.read(more).length; count > 0; count--) socket.write(ANSWER);
    } catch (error) {
      faults.push((error as Error).message);
      socket.destroy();
    }
  });
  let judged: number[] = [];
  return {
    port: app.port,
    differences() {
      const reached = app.received.map((text, index) => text.slice(judged[index] ?? 0));
      judged = app.received.map(({ length }) => length);
      const read = (laxness = {}) => JSON.stringify(reached.map((text) => readSloppily(text, laxness)));
      const toTheLetter = read();
      const others = Object.entries(SLOPPY_READERS).map(([name, laxness]) => ({ name, found: read(laxness) }));
      const deceived = others.filter(({ found }) => found !== toTheLetter || found.includes("/smuggled"));
      return [...faults.splice(0), ...deceived.map(({ name, found }) => `${name}: ${found}, not ${toTheLetter}`)];
    },
    [Symbol.asyncDispose]: () => app[Symbol.asyncDispose](),
  };
}
