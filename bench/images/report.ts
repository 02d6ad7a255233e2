import { markdownTable } from "../results.ts";
import type { Found } from "./inside.ts";
import type { Idle, ProbeCost, Times } from "./idle.ts";
import type { Size } from "./layers.ts";
import { type Memory, sum } from "./memory.ts";
import type { Lives } from "./starts.ts";
import { median, spread } from "./statistics.ts";
import { type Subject, isSidecar } from "./subjects.ts";

const MEGA = 1e6;

/** What the family is meant to reach: MB (10⁶ bytes) or milliseconds. */
const target = { private: 18, process: 150, engine: 700, end: 200, probe: 60 };

export interface SizeRow {
  readonly what: string;
  readonly size: Size;
  /** MB, packed. */
  readonly target?: number;
}

export interface TimeRow {
  readonly subject: Subject;
  readonly inside: Found | undefined;
  readonly lives: Lives;
}

export interface CpuRow {
  readonly idle: Idle;
  readonly inside?: Found | undefined;
  readonly probe?: ProbeCost;
}

export function sizeTable(rows: readonly SizeRow[]): string {
  const header = ["layer", "files, MB", "gzipped, MB", "target"];
  const cells = ({ what, size: { unpacked, packed }, target: most }: SizeRow) => [
    what,
    (unpacked / MEGA).toFixed(2),
    ...against(packed / MEGA, most, 2),
  ];
  return markdownTable(header, rows.map(cells));
}

export function timeTable(rows: readonly TimeRow[]): string {
  const header = [
    "",
    "process to ready, ms",
    "target",
    "its CPU, ms",
    "`docker run` to ready, ms",
    "target",
    "… until it comes back",
  ];
  const ends = ["SIGTERM to gone, ms", "target", "exit codes", "`docker stop`, ms"];
  const cells = ({ subject, inside, lives }: TimeRow) => [
    subject.name,
    ...measured(inside?.starts, subject, target.process),
    inside ? median(inside.cpu).toFixed(0) : "",
    ...measured(lives.ready, subject, target.engine),
    spread(lives.returned),
    ...measured(lives.ended, subject, target.end),
    [...lives.exitCodes].join(", "),
    spread(lives.stopped),
  ];
  return markdownTable([...header, ...ends], rows.map(cells));
}

export function memoryTable(
  alone: readonly Idle[],
  together: readonly Idle[],
  peers: readonly Idle[],
  times: Times,
): string {
  const header = [
    "MB",
    "alone: RSS",
    "PSS",
    `private after ${times.settled} s`,
    `after ${times.late} s`,
    "target",
    "RSS",
    "PSS",
  ];
  const row = ({ subject, settled, late }: Idle) => {
    const lonely = alone.find((each) => each.subject === subject)?.late;
    return [
      subject.name,
      ...(lonely ? [mega(lonely.resident), mega(lonely.proportional)] : ["", ""]),
      mega(settled.private),
      ...against(late.private / MEGA, isSidecar(subject) ? target.private : undefined, 1),
      mega(late.resident),
      mega(late.proportional),
    ];
  };
  const all = (which: (idle: Idle) => Memory, idles: readonly Idle[]) => sum(idles.map((idle) => which(idle)));
  const [settled, late] = [all((idle) => idle.settled, together), all((idle) => idle.late, together)];
  const total = [
    "all four",
    "",
    "",
    mega(settled.private),
    mega(late.private),
    "",
    mega(late.resident),
    mega(late.proportional),
  ];
  return markdownTable(header, [...together.map(row), total, ...peers.map(row)]);
}

export function cpuTable(rows: readonly CpuRow[]): string {
  const header = [
    "",
    "idle, % of a core",
    "target",
    "probe: its CPU, ms",
    "target",
    "with runc and shim, ms",
    "`docker exec`, ms",
  ];
  const cells = ({ idle: { subject, cpu }, inside, probe }: CpuRow) => [
    subject.name,
    ...against(cpu, subject.isPeer ? undefined : subject.idleTarget, 3),
    ...against(inside?.probe, isSidecar(subject) ? target.probe : undefined, 0),
    probe?.cpu.toFixed(0) ?? "",
    probe?.elapsed.toFixed(0) ?? "",
  ];
  return markdownTable(header, rows.map(cells));
}

function measured(values: readonly number[] | undefined, subject: Subject, most: number): [string, string] {
  if (!values) return ["", ""];
  return [spread(values), isSidecar(subject) ? verdict(median(values), most) : ""];
}

function against(value: number | undefined, most: number | undefined, digits: number): [string, string] {
  if (value === undefined) return ["", ""];
  return [value.toFixed(digits), most === undefined ? "" : verdict(value, most)];
}

function verdict(value: number, most: number): string {
  return value <= most ? `≤ ${most} ✓` : `≤ ${most} **missed**`;
}

function mega(bytes: number): string {
  return (bytes / MEGA).toFixed(1);
}
