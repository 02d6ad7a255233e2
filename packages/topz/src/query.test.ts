import { expect, test } from "vitest";
import { type ProcessRow, type SortKey, sorted } from "./process-table.ts";
import { parseQuery, select } from "./query.ts";
import { textTable } from "./text-table.ts";

function row(pid: number, cpuPercent: number | null, residentBytes: number | null, name = "app"): ProcessRow {
  const memoryPercent = residentBytes === null ? null : residentBytes / 10;
  return {
    pid,
    parent: 0,
    name,
    state: "S",
    threads: 1,
    cpuPercent,
    cpuSeconds: 1,
    memoryPercent,
    residentBytes,
    commandLine: `/${name}`,
  };
}
const rows = [row(3, 1, 30, "b"), row(1, null, 50, "a"), row(2, 1, 40, "a"), row(4, 9, null, "C")];
const read = (query: string) => parseQuery(new URLSearchParams(query));
const pids = (sort: SortKey) => sorted(rows, sort).map(({ pid }) => pid);

test("the busiest stand first, then the largest, then the lowest pid; what is unknown stands last", () => {
  expect(pids("cpu")).toEqual([4, 2, 3, 1]);
  expect(pids("memory")).toEqual([1, 2, 3, 4]);
  expect(pids("pid")).toEqual([1, 2, 3, 4]);
  expect(pids("name")).toEqual([1, 2, 3, 4]);
});

test("sorting leaves the snapshot, which all share, as it is", () => {
  const frozen = Object.freeze([...rows]);
  sorted(frozen, "cpu");
  expect(frozen).toEqual(rows);
});

test("a query says order, number and heading; without one it is all by CPU", () => {
  expect(read("")).toEqual({ sort: "cpu", limit: Infinity, header: false });
  expect(read("sort=memory&limit=20&header=1")).toEqual({ sort: "memory", limit: 20, header: true });
  expect(read("header=0&other=1")).toMatchObject({ header: false });
  expect(select(rows, read("sort=pid&limit=2")).map(({ pid }) => pid)).toEqual([1, 2]);
});

test.each([
  ["sort=rss", "sort=rss: not a column. Give one of cpu, memory, pid, name"],
  ["sort=", "sort=: not a column"],
  ["limit=0", "limit=0: not a number from 1 to 999999"],
  ["limit=-1", "limit=-1: not a number"],
  ["limit=ten", "limit=ten: not a number"],
  ["limit=1000000", "not a number from 1 to 999999"],
  ["limit=", "limit=: not a number"],
])("%s is refused with what it may be", (query, message) => {
  expect(() => read(query)).toThrow(RangeError);
  expect(() => read(query)).toThrow(message);
});

test("the plain text has one row a process, in columns, with a heading when asked for", () => {
  expect(textTable([row(42, 12.34, 50), row(1234567, null, null)], { header: true })).toBe(
    ["    PID   %CPU  %MEM COMMAND", "     42   12.3   5.0 /app", "1234567      -     - /app", ""].join("\n"),
  );
  expect(textTable([row(42, 100, 50)], { header: false })).toBe("     42  100.0   5.0 /app\n");
  expect(textTable([], { header: false })).toBe("");
});
