// Hot path: a monitor parses one of these per process and interval, so it walks bytes and makes no strings but the name.
import { decode } from "./decode.ts";
import type { ProcessIdentity } from "./identity.ts";
import { MalformedProcFile } from "./malformed.ts";

/** One letter, proc(5): running, sleeping, disk sleep, zombie, stopped, traced, dead, idle … */
export type ProcessState = string;

/** The first 24 fields of /proc/PID/stat, without those that no longer mean anything. */
export interface Stat extends ProcessIdentity {
  /** comm: at most 15 bytes (kernel workers: 63), any bytes but NUL; what isn't UTF-8 shows as U+FFFD. */
  readonly name: string;
  readonly state: ProcessState;
  /** 0 when the parent lives outside this PID namespace. */
  readonly parent: number;
  readonly processGroup: number;
  readonly session: number;
  readonly minorFaults: number;
  readonly majorFaults: number;
  /** CPU time of all threads, in clock ticks. */
  readonly userTicks: number;
  readonly systemTicks: number;
  /** -20 (favoured) to 19. */
  readonly nice: number;
  readonly threads: number;
  /** Address space; reservations of terabytes are common. Rounded above 2^53 (8 PiB), as every JavaScript number is. */
  readonly virtualBytes: number;
  readonly residentPages: number;
}

const [LF, SPACE, OPEN, CLOSE, MINUS, ZERO, NINE] = [10, 32, 40, 41, 45, 48, 57] as const;
const FIRST_NUMBER = 4; // the fields after the state; numbered from 1 as in proc(5)
const LAST_NUMBER = 24;

/**
 * Parses /proc/PID/stat. The name may hold spaces, parentheses and line feeds, so the fields start behind the last `)`.
 * @throws MalformedProcFile when a field is missing, cut off or not a number
 */
export function parseStat(bytes: Uint8Array): Stat {
  const open = bytes.indexOf(OPEN);
  const close = bytes.lastIndexOf(CLOSE);
  if (open < 2 || close < open) throw malformed(bytes, "has no name in parentheses");
  const field = numbers(bytes, close + 4);
  return {
    pid: pidBefore(bytes, open - 1),
    name: decode(bytes.subarray(open + 1, close)),
    state: stateAt(bytes, close + 2),
    parent: field(4),
    processGroup: field(5),
    session: field(6),
    minorFaults: field(10),
    majorFaults: field(12),
    userTicks: field(14),
    systemTicks: field(15),
    nice: field(19),
    threads: field(20),
    startTime: field(22),
    virtualBytes: field(23),
    residentPages: field(24),
  };
}

/** Dead, and only kept for its parent to collect. A `Z` with more than one thread is a leader whose threads live on. */
export function hasExited({ state, threads }: Stat): boolean {
  return (state === "Z" || state === "X") && threads <= 1;
}

function pidBefore(bytes: Uint8Array, end: number): number {
  let pid = 0;
  for (let at = 0; at < end; at++) {
    const digit = bytes[at] ?? SPACE;
    if (digit < ZERO || digit > NINE) throw malformed(bytes, "does not start with a pid");
    pid = pid * 10 + (digit - ZERO);
  }
  if (bytes[end] !== SPACE) throw malformed(bytes, "does not start with a pid");
  return pid;
}

function stateAt(bytes: Uint8Array, at: number): ProcessState {
  const letter = bytes[at] ?? SPACE;
  if (letter <= SPACE || bytes[at - 1] !== SPACE || bytes[at + 1] !== SPACE)
    throw malformed(bytes, "has no state after the name");
  return String.fromCharCode(letter);
}

/** Fields 4 to 24, each of which has to end in a space or a line feed: one that doesn't was cut off. */
function numbers(bytes: Uint8Array, start: number): (field: number) => number {
  const values: number[] = [];
  let at = start;
  for (let field = FIRST_NUMBER; field <= LAST_NUMBER; field++) {
    const negative = bytes[at] === MINUS;
    if (negative) at++;
    const first = at;
    let value = 0;
    let byte = bytes[at];
    while (byte !== undefined && byte >= ZERO && byte <= NINE) {
      value = value * 10 + (byte - ZERO); // in this order it is exact up to 2^53
      byte = bytes[++at];
    }
    if (at === first || (byte !== SPACE && byte !== LF))
      throw malformed(bytes, `has no whole number as field ${field}`);
    values.push(negative ? -value : value);
    at++;
  }
  return (field) => values[field - FIRST_NUMBER] ?? 0;
}

function malformed(bytes: Uint8Array, reason: string): MalformedProcFile {
  return new MalformedProcFile("/proc/PID/stat", decode(bytes), reason);
}
