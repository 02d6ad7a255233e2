import { type CmdlineMode, showCommandLine } from "./command-line.ts";
import type { ProcessReading, ProcessRow, ProcessSource, Snapshot } from "./process-table.ts";

/** Turns readings into snapshots: CPU use is the difference between two readings of the same process. */
export class Sampler {
  readonly #source: ProcessSource;
  readonly #cmdline: CmdlineMode;
  readonly #now: () => number;
  #before: { readonly at: number; readonly cpu: ReadonlyMap<string, number> } | undefined;
  #latest: Snapshot | undefined;

  /** @param now monotonic, milliseconds */
  constructor(source: ProcessSource, cmdline: CmdlineMode, now: () => number = () => performance.now()) {
    this.#source = source;
    this.#cmdline = cmdline;
    this.#now = now;
  }

  /** The newest snapshot, which all who ask share; undefined before the first. */
  get latest(): Snapshot | undefined {
    return this.#latest;
  }

  /** Takes a snapshot. */
  async sample(signal: AbortSignal): Promise<Snapshot> {
    const readings = await this.#source.read(signal);
    const at = this.#now();
    const elapsed = this.#before ? at - this.#before.at : null;
    const processes = readings.map((reading) => this.#toRow(reading, elapsed));
    const cpu = new Map(
      readings.flatMap((one) => (one.cpuSeconds === null ? [] : [[identityOf(one), one.cpuSeconds]])),
    );
    this.#before = { at, cpu };
    this.#latest = { takenAt: new Date().toISOString(), overMilliseconds: elapsed && Math.round(elapsed), processes };
    return this.#latest;
  }

  #toRow(reading: ProcessReading, elapsed: number | null): ProcessRow {
    const { pid, parent, name, state, threads, residentBytes, cpuSeconds } = reading;
    const memory = residentBytes === null ? null : (100 * residentBytes) / this.#source.totalMemoryBytes;
    return {
      pid,
      parent,
      name,
      state,
      threads,
      cpuPercent: rounded(reading.cpuPercent ?? this.#cpuPercent(reading, elapsed)),
      cpuSeconds,
      memoryPercent: rounded(memory),
      residentBytes,
      commandLine: showCommandLine(reading.commandLine, name, this.#cmdline),
    };
  }

  /** A process that is new since the last sample used all its time in between. */
  #cpuPercent(reading: ProcessReading, elapsed: number | null): number | null {
    if (elapsed === null || elapsed <= 0 || reading.cpuSeconds === null) return null;
    const before = this.#before?.cpu.get(identityOf(reading)) ?? 0;
    return (100_000 * Math.max(0, reading.cpuSeconds - before)) / elapsed;
  }
}

function identityOf({ pid, startTime }: ProcessReading): string {
  return `${pid}/${startTime}`;
}

function rounded(value: number | null): number | null {
  return value === null ? null : Math.round(value * 10) / 10;
}
