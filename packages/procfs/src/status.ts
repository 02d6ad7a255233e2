import { decode } from "./decode.ts";
import { MalformedProcFile } from "./malformed.ts";

/** User or group ids of a process, credentials(7). Permission to signal goes by real and saved, access to files by filesystem. */
export interface Ids {
  readonly real: number;
  readonly effective: number;
  readonly saved: number;
  readonly filesystem: number;
}

/**
 * What is used of /proc/PID/status. `null` means that the kernel doesn't say: kernel threads and zombies have no memory,
 * and sandboxes (gVisor) leave out ids and signal masks.
 */
export interface Status {
  readonly name: string;
  readonly uids: Ids | null;
  readonly gids: Ids | null;
  /** The pid in each PID namespace, from that of the /proc mount inwards. */
  readonly namespacePids: readonly number[] | null;
  /** Signal masks: bit n-1 is signal n. Read them with `catches`, `ignores` and `blocks`. */
  readonly caught: bigint | null;
  readonly ignored: bigint | null;
  /** Of the main thread; each thread has its own. */
  readonly blocked: bigint | null;
  /** Bit n is capability n, capabilities(7). */
  readonly effectiveCapabilities: bigint | null;
  readonly virtualBytes: number | null;
  readonly residentBytes: number | null;
  readonly peakResidentBytes: number | null;
  readonly anonymousBytes: number | null;
  readonly fileBytes: number | null;
  readonly sharedMemoryBytes: number | null;
  readonly swapBytes: number | null;
}

/**
 * Parses /proc/PID/status. The kernel escapes line feeds and backslashes in the name, and nothing else: lines are split at
 * line feeds alone, because a name may hold `\r` or U+2028 and pose as a line of its own to a multi-line pattern.
 * @throws MalformedProcFile when there is no name, or a line isn't of its documented form
 */
export function parseStatus(bytes: Uint8Array): Status {
  const lines = linesByKey(decode(bytes));
  return {
    name: nameOf(lines),
    uids: idsOf(lines, "Uid"),
    gids: idsOf(lines, "Gid"),
    namespacePids: valueOf(lines, "NSpid", /^\d+(\t\d+)*$/, (text) => text.split("\t").map(Number)),
    caught: maskOf(lines, "SigCgt"),
    ignored: maskOf(lines, "SigIgn"),
    blocked: maskOf(lines, "SigBlk"),
    effectiveCapabilities: maskOf(lines, "CapEff"),
    virtualBytes: bytesOf(lines, "VmSize"),
    residentBytes: bytesOf(lines, "VmRSS"),
    peakResidentBytes: bytesOf(lines, "VmHWM"),
    anonymousBytes: bytesOf(lines, "RssAnon"),
    fileBytes: bytesOf(lines, "RssFile"),
    sharedMemoryBytes: bytesOf(lines, "RssShmem"),
    swapBytes: bytesOf(lines, "VmSwap"),
  };
}

type Lines = ReadonlyMap<string, string>;

function linesByKey(text: string): Lines {
  const lines = new Map<string, string>();
  for (const line of text.split("\n")) {
    const colon = line.indexOf(":\t");
    if (colon > 0) lines.set(line.slice(0, colon), line.slice(colon + 2));
  }
  return lines;
}

function nameOf(lines: Lines): string {
  const escaped = lines.get("Name");
  if (escaped === undefined)
    throw new MalformedProcFile("/proc/PID/status", [...lines.keys()].join(), "has no Name line");
  return escaped.replace(/\\([n\\])/g, (_, letter) => (letter === "n" ? "\n" : "\\"));
}

function idsOf(lines: Lines, key: string): Ids | null {
  return valueOf(lines, key, /^\d+(\t\d+){3}$/, (text) => {
    const [real = 0, effective = 0, saved = 0, filesystem = 0] = text.split("\t").map(Number);
    return { real, effective, saved, filesystem };
  });
}

function maskOf(lines: Lines, key: string): bigint | null {
  return valueOf(lines, key, /^[\da-f]+$/, (text) => BigInt(`0x${text}`));
}

function bytesOf(lines: Lines, key: string): number | null {
  return valueOf(lines, key, /^ *\d+ kB$/, (text) => Number.parseInt(text, 10) * 1024);
}

function valueOf<T>(lines: Lines, key: string, form: RegExp, parse: (text: string) => T): T | null {
  const text = lines.get(key);
  if (text === undefined) return null;
  if (!form.test(text)) throw new MalformedProcFile(`/proc/PID/status ${key}`, text, `is not of the form ${form}`);
  return parse(text);
}
