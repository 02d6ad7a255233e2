import { existsSync } from "node:fs";
import { MalformedProcFile } from "./malformed.ts";
import { readProcFile } from "./proc-file.ts";
import { parseStat } from "./stat.ts";

export interface SystemInformation {
  /** Seconds since 1970. Moves when the clock is set: for display, never for telling processes apart. */
  readonly bootTime: number;
  /** USER_HZ, which is 100 on every architecture that Node runs on. */
  readonly clockTicksPerSecond: number;
  readonly pageBytes: number;
  /** Of the machine: a container's share is in its cgroup. */
  readonly totalMemoryBytes: number;
  /** Processors online in the machine. */
  readonly cpuCount: number;
  /** Seconds since boot, suspended time included. */
  readonly uptime: number;
}

/** Whether this is a /proc of the Linux kind: false on macOS, Windows and FreeBSD. */
export function supported(root = "/proc"): boolean {
  return existsSync(`${root}/self/stat`);
}

/** @throws MalformedProcFile when the root isn't a Linux /proc */
export function systemInformation(root = "/proc"): SystemInformation {
  const stat = textOf(`${root}/stat`);
  return {
    bootTime: numberIn(stat, /^btime (\d+)$/m, `${root}/stat`),
    clockTicksPerSecond: 100,
    pageBytes: pageBytes(root),
    totalMemoryBytes: 1024 * numberIn(textOf(`${root}/meminfo`), /^MemTotal: +(\d+) kB$/m, `${root}/meminfo`),
    cpuCount: stat.match(/^cpu\d+ /gm)?.length ?? 1,
    uptime: numberIn(textOf(`${root}/uptime`), /^([\d.]+) /, `${root}/uptime`),
  };
}

/**
 * The kernel tells our address space in bytes (stat) and in pages (statm). Rounded to a power of two, as it may grow between
 * the two reads. The auxiliary vector has the page size, too, but is closed to a process that gave up its privileges.
 */
function pageBytes(root: string): number {
  const { virtualBytes } = parseStat(Buffer.from(textOf(`${root}/self/stat`)));
  const pages = numberIn(textOf(`${root}/self/statm`), /^([1-9]\d*) /, `${root}/self/statm`);
  return 2 ** Math.round(Math.log2(virtualBytes / pages));
}

function textOf(path: string): string {
  const bytes = readProcFile(path);
  if (!bytes) throw new MalformedProcFile(path, "", bytes === null ? "may not be read" : "is missing");
  return bytes.toString();
}

function numberIn(text: string, pattern: RegExp, path: string): number {
  const [, digits] = pattern.exec(text) ?? [];
  if (digits === undefined) throw new MalformedProcFile(path, text, `has no ${pattern}`);
  return Number(digits);
}
