import type { ProcessRow } from "./process-table.ts";

export interface TextTableOptions {
  readonly header: boolean;
}

/** Plain text, one row a process: pid, CPU %, memory %, command line. What is unknown is `-`. */
export function textTable(rows: readonly ProcessRow[], { header }: TextTableOptions): string {
  const lines = rows.map(({ pid, cpuPercent, memoryPercent, commandLine }) =>
    line(String(pid), percent(cpuPercent), percent(memoryPercent), commandLine),
  );
  return [...(header ? [line("PID", "%CPU", "%MEM", "COMMAND")] : []), ...lines, ""].join("\n");
}

function line(pid: string, cpu: string, memory: string, command: string): string {
  return `${pid.padStart(7)} ${cpu.padStart(6)} ${memory.padStart(5)} ${command}`;
}

function percent(value: number | null): string {
  return value === null ? "-" : value.toFixed(1);
}
