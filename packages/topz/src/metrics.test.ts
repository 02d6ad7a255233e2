import { defineSidecar } from "@pillion/kit";
import { startSidecar } from "@pillion/kit/testing";
import { expect, onTestFinished, test } from "vitest";
import { addProcessTableMetrics } from "./metrics.ts";
import type { ProcessRow, Snapshot } from "./process-table.ts";

let snapshot: Snapshot | undefined;
const table = defineSidecar("topz", {}, () => ({
  async start({ metrics }) {
    addProcessTableMetrics(metrics, () => snapshot).observe(0.002);
    return { stop() {} };
  },
}));

async function scrape(rows?: Partial<ProcessRow>[]): Promise<string> {
  const whole = (row: Partial<ProcessRow>, index: number): ProcessRow => ({
    pid: index + 1,
    parent: 0,
    name: "app",
    state: "S",
    threads: 1,
    cpuPercent: 1,
    cpuSeconds: 1,
    memoryPercent: 1,
    residentBytes: 100,
    commandLine: "app",
    ...row,
  });
  snapshot = rows && { takenAt: "", overMilliseconds: 1_000, processes: rows.map(whole) };
  const sidecar = await startSidecar(table({}));
  onTestFinished(async () => void (await sidecar.stop()));
  return (await sidecar.get("/metrics")).text;
}

test("processes are counted by state, resources by name", async () => {
  const text = await scrape([
    { name: "nginx", state: "R", cpuPercent: 50, residentBytes: 100 },
    { name: "nginx", state: "S", cpuPercent: 25, residentBytes: 200 },
    { name: "node", state: "S", cpuPercent: null, residentBytes: 1 },
  ]);
  expect(text).toMatch(/^topz_processes\{state="R"\} 1$/m);
  expect(text).toMatch(/^topz_processes\{state="S"\} 2$/m);
  expect(text).toMatch(/^topz_group_resident_bytes\{group="nginx"\} 300$/m);
  expect(text).toMatch(/^topz_group_cpu_cores\{group="nginx"\} 0.75$/m);
  expect(text).toMatch(/^topz_group_cpu_cores\{group="node"\} 0$/m);
  expect(text).toMatch(/^topz_scan_duration_seconds_count 1$/m);
});

test("before the first sample there are no series of processes", async () => {
  expect(await scrape()).not.toMatch(/^topz_(?:processes|group_\w+)\{/m);
});

test("however many names there are, series are bounded, and nothing is lost in the sum", async () => {
  const rows = Array.from({ length: 500 }, (_, index) => ({ name: `job-${index}`, residentBytes: index + 1 }));
  const text = await scrape(rows);
  const series = [...text.matchAll(/^topz_group_resident_bytes\{group="([^"]+)"\} (\d+)$/gm)];
  expect(series).toHaveLength(51);
  expect(series.map(([, group]) => group)).toContain("other");
  expect(series.map(([, group]) => group)).toContain("job-499");
  expect(series.map(([, group]) => group)).not.toContain("job-0");
  expect(series.reduce((sum, [, , bytes]) => sum + Number(bytes), 0)).toBe((500 * 501) / 2);
  expect(text.match(/^topz_group_cpu_cores\{/gm)).toHaveLength(51);
});

test("a process that calls itself `other` is counted there, once", async () => {
  const rows = Array.from({ length: 60 }, (_, index) => ({
    name: index === 59 ? "other" : `job-${index}`,
    residentBytes: index + 1,
  }));
  const text = await scrape(rows);
  expect(text.match(/^topz_group_resident_bytes\{group="other"\}/gm)).toHaveLength(1);
  const series = [...text.matchAll(/^topz_group_resident_bytes\{group="[^"]+"\} (\d+)$/gm)];
  expect(series.reduce((sum, [, bytes]) => sum + Number(bytes), 0)).toBe((60 * 61) / 2);
});

test("a name can't break the format", async () => {
  const text = await scrape([{ name: 'a"} 1\nevil{x="\\' }]);
  expect(text).toContain('topz_group_resident_bytes{group="a\\"} 1\\nevil{x=\\"\\\\"} 100');
  expect(text).not.toMatch(/^evil/m);
});

test("idle kernel threads make no series", async () => {
  expect(await scrape([{ name: "kworker/0:1", residentBytes: 0, cpuPercent: 0 }])).not.toContain("kworker");
});
