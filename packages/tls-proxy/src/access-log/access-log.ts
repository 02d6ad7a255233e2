import { type AccessEntry, accessLine } from "./access-line.ts";
import { type LineOutput, type OutputObserver, fileOutput, streamOutput } from "./access-output.ts";

export interface AccessLogOptions {
  readonly format: "off" | "json" | "combined";
  /** Nothing: standard output, through the stream that the log itself uses. */
  readonly file: string | undefined;
  /** Whether query strings are logged. */
  readonly query: boolean;
  readonly observer: OutputObserver;
}

export interface AccessLog {
  /** Never waits: lines go out in batches, within a moment. */
  write(entry: AccessEntry): void;
  /** Opens the file anew, after it was renamed. A file that can't be opened is told of, and the old one stays. */
  reopen(): void;
  /** Writes what is left, for a second at the most. */
  close(): Promise<void>;
}

/** A line for each request, or nothing when it is off. @throws ACCESS_LOG_UNWRITABLE */
export function accessLog({ format, file, query, observer }: AccessLogOptions): AccessLog | undefined {
  return format === "off" ? undefined : entriesTo(accessOutput(file, observer), { format, query });
}

/** Where the lines go. @throws ACCESS_LOG_UNWRITABLE */
export function accessOutput(file: AccessLogOptions["file"], observer: OutputObserver): LineOutput {
  return file === undefined ? streamOutput(process.stdout, observer) : fileOutput(file, observer);
}

/** Makes lines of entries. */
export function entriesTo(
  output: LineOutput,
  { format, query }: { format: "json" | "combined"; query: boolean },
): AccessLog {
  const line = accessLine(format, query);
  return { ...output, write: (entry) => output.write(line(entry)) };
}
