import { closeSync, openSync } from "node:fs";
import type { Writable } from "node:stream";
import { systemCode } from "@pillion/kit";
import SonicBoom from "sonic-boom";
import { errors } from "../errors.ts";

/** Where lines go, in batches: a write never waits. */
export interface LineOutput {
  /** @param line one or several, whole */
  write(line: string): void;
  /** Opens a file anew, after it was renamed. One that can't be opened is told of, and the old one stays. */
  reopen(): void;
  /** Writes what is left, for a second at the most. */
  close(): Promise<void>;
}

/** What an output tells of itself. */
export interface OutputObserver {
  /** Writing or opening failed; what waits to be written is kept and tried again. */
  failed(error: Error): void;
  /** Lines were lost, because what reads them is too slow. */
  lost(lines: number): void;
}

/** How long a line may wait for others, milliseconds. */
const MOMENT = 200;
/** How many bytes are written at once where there are so many. */
const BATCH = 8_192;
/** How many bytes may wait. */
const MOST_WAITING = 8 << 20;
/** How long closing may take, milliseconds. */
const LAST_CALL = 1_000;

/** Appends to a file. @throws ACCESS_LOG_UNWRITABLE */
export function fileOutput(file: string, observer: OutputObserver): LineOutput {
  assertWritable(file);
  const output = new SonicBoom.SonicBoom({
    dest: file,
    mode: MODE,
    minLength: BATCH,
    periodicFlush: MOMENT,
    maxLength: MOST_WAITING,
  });
  output.on("error", (error: Error) => observer.failed(error));
  output.on("drop", (lines: string) => observer.lost(linesIn(lines)));
  return {
    write: (line) => void output.write(line),
    reopen() {
      try {
        assertWritable(file); // sonic-boom remembers a failure, and closes the old file twice after the next success
        output.reopen();
      } catch (error) {
        observer.failed(error as Error);
      }
    },
    close: () =>
      atMost(LAST_CALL, (done) => {
        output.once("close", done).once("error", done);
        output.end();
      }),
  };
}

/**
 * Writes to a stream that has other writers too. It has to be the one that they use: two that write to the same pipe break
 * into each other's lines as soon as it is full.
 */
export function streamOutput(stream: Pick<Writable, "write" | "writableLength">, observer: OutputObserver): LineOutput {
  let waiting = "";
  let timer: NodeJS.Timeout | undefined;
  const flush = (done = () => {}) => {
    clearTimeout(timer);
    timer = undefined;
    stream.write(waiting, done);
    waiting = "";
  };
  return {
    write(line) {
      if (waiting.length + line.length + stream.writableLength > MOST_WAITING) return observer.lost(linesIn(line));
      waiting += line;
      if (waiting.length >= BATCH) flush();
      else timer ??= setTimeout(flush, MOMENT);
    },
    reopen() {},
    close: () => atMost(LAST_CALL, flush),
  };
}

/** Workers hand over many at a time. */
function linesIn(text: string): number {
  return text.split("\n").length - 1;
}

/** Not for others to read: addresses are personal data. */
const MODE = 0o640;

function assertWritable(file: string): void {
  try {
    closeSync(openSync(file, "a", MODE));
  } catch (error) {
    throw errors.ACCESS_LOG_UNWRITABLE({
      subject: "--access-log-file",
      value: file,
      reason: `can't be opened for writing (${systemCode(error)})`,
      remedy: "Give a file in a directory that exists and that this user may write",
      cause: error,
    });
  }
}

async function atMost(milliseconds: number, begin: (done: () => void) => void): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, milliseconds);
  begin(resolve);
  await promise;
  clearTimeout(timer);
}
