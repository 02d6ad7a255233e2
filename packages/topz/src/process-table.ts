/** One process as a source reads it: totals since its start. `null` is what could not be read. */
export interface ProcessReading {
  readonly pid: number;
  /** Tells two processes with one pid apart; only ever compared for equality. */
  readonly startTime: number;
  readonly parent: number;
  readonly name: string;
  /** One letter, proc(5); `?` where the system doesn't say. */
  readonly state: string;
  readonly threads: number | null;
  readonly residentBytes: number | null;
  /** User and system, since the start; null where only a percentage is known. */
  readonly cpuSeconds: number | null;
  /** As the system measured it, for sources that have no totals. */
  readonly cpuPercent?: number | null;
  readonly commandLine: readonly string[] | null;
}

/** Reads all processes; `totalMemoryBytes` is what memory is a share of. */
export interface ProcessSource {
  readonly totalMemoryBytes: number;
  read(signal: AbortSignal): Promise<readonly ProcessReading[]>;
  close(): void;
}

/** One process in a snapshot, as the JSON API gives it. */
export interface ProcessRow {
  readonly pid: number;
  readonly parent: number;
  readonly name: string;
  readonly state: string;
  readonly threads: number | null;
  /** 100 is one core; null until there are two samples. */
  readonly cpuPercent: number | null;
  readonly cpuSeconds: number | null;
  /** Of the machine's memory. */
  readonly memoryPercent: number | null;
  readonly residentBytes: number | null;
  /** Redacted as the options say; a kernel thread has none, so its name stands in brackets. */
  readonly commandLine: string;
}

/** All processes at one moment. */
export interface Snapshot {
  /** ISO 8601. */
  readonly takenAt: string;
  /** Time that CPU percentages are over, milliseconds; null for the first snapshot. */
  readonly overMilliseconds: number | null;
  readonly processes: readonly ProcessRow[];
}

export type SortKey = "cpu" | "memory" | "pid" | "name";
export const sortKeys: readonly SortKey[] = ["cpu", "memory", "pid", "name"];

/** Sorted copies; what is unknown stands last, and the pid decides between equals. */
export function sorted(rows: readonly ProcessRow[], by: SortKey): ProcessRow[] {
  const more = (key: "cpuPercent" | "residentBytes", a: ProcessRow, b: ProcessRow) => (b[key] ?? -1) - (a[key] ?? -1);
  const orders: Record<SortKey, (a: ProcessRow, b: ProcessRow) => number> = {
    cpu: (a, b) => more("cpuPercent", a, b) || more("residentBytes", a, b) || a.pid - b.pid,
    memory: (a, b) => more("residentBytes", a, b) || a.pid - b.pid,
    pid: (a, b) => a.pid - b.pid,
    name: (a, b) => a.name.localeCompare(b.name) || a.pid - b.pid,
  };
  return rows.toSorted(orders[by]);
}
