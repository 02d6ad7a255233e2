import { type AccessEntry, accessLine } from "./access-line.ts";
import { type LineOutput, type OutputObserver, fileOutput, streamOutput } from "./access-output.ts";

interface AccessLogOptions {
  readonly format: "json" | "combined";
  /** Whether query strings are logged. */
  readonly query: boolean;
  /** The number of the worker that writes, if there are several. */
  readonly worker?: number;
}

export interface AccessLog {
  /** Never waits: lines go out in batches, within a moment. */
  write(entry: AccessEntry): void;
  /** Opens the file anew, after it was renamed. A file that can't be opened is told of, and the old one stays. */
  reopen(): void;
  /** Writes what is left, for a second at the most. */
  close(): Promise<void>;
}

/**
 * Where the lines go.
 * @param file nothing: standard output, through the stream that the log itself uses
 * @throws ACCESS_LOG_UNWRITABLE
 */
export function accessOutput(file: string | undefined, observer: OutputObserver): LineOutput {
  return file === undefined ? streamOutput(process.stdout, observer) : fileOutput(file, observer);
}

/** Makes lines of entries. */
export function entriesTo(output: LineOutput, { format, query, worker }: AccessLogOptions): AccessLog {
  const line = accessLine(format, query, worker);
  return { ...output, write: (entry) => output.write(line(entry)) };
}
