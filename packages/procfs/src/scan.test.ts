import { rmSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { recorded } from "../fixtures/recorded.ts";
import { procTree } from "../fixtures/tree.ts";
import { readProcess } from "./process-row.ts";
import { listPids, scan } from "./scan.ts";

test("pids are numbers in ascending order, and nothing else in /proc is one", () => {
  const { self, kernelThread, master, worker, titled, zombieParent, zombie, hostile } = recorded.cast;
  expect(listPids(recorded.root)).toEqual([kernelThread, self, master, worker, titled, zombieParent, zombie, hostile]);
});

test("a scan gives every process with its identity, status and command line", async () => {
  const rows = await all(scan({ root: recorded.root }));
  expect(rows.map((row) => row.identity.pid)).toEqual(listPids(recorded.root));
  const hostile = rows.find((row) => row.identity.pid === recorded.cast.hostile);
  expect(hostile?.commandLine).toEqual(["hostile", "1000"]);
  expect(hostile?.status?.name).toBe(hostile?.stat.name);
});

test("a process that was listed and vanished before it was read costs nothing", async () => {
  using tree = procTree([{ pid: 1 }, 2, { pid: 3 }]);
  expect((await all(scan(tree))).map((row) => row.identity.pid)).toEqual([1, 3]);
});

test("a process that vanishes between two of its files is gone, not half a row", () => {
  using tree = procTree([{ pid: 42 }]);
  rmSync(join(tree.root, "42", "cmdline"));
  expect(readProcess(42, tree)).toBe(undefined);
});

test("a process that vanishes while its predecessor is looked at costs nothing", async () => {
  using tree = procTree([{ pid: 1 }, { pid: 2 }, { pid: 3 }]);
  const seen = [];
  for await (const { identity } of scan(tree)) {
    seen.push(identity.pid);
    rmSync(join(tree.root, "2"), { recursive: true, force: true });
  }
  expect(seen).toEqual([1, 3]);
});

test("a scan stops when it is told to, with the reason", async () => {
  using tree = procTree([{ pid: 1 }, { pid: 2 }]);
  const stop = new AbortController();
  const seen: number[] = [];
  const scanning = (async () => {
    for await (const { identity } of scan({ root: tree.root, signal: stop.signal })) {
      seen.push(identity.pid);
      stop.abort(new Error("enough"));
    }
  })();
  await expect(scanning).rejects.toThrow("enough");
  expect(seen).toEqual([1]);
});

test("a scan lets the event loop run", async () => {
  using tree = procTree(Array.from({ length: 300 }, (_, index) => ({ pid: index + 1 })));
  let turns = 0;
  let scanning = true;
  const turn = () => void (turns++, scanning && setImmediate(turn));
  setImmediate(turn);
  for await (const _ of scan(tree)) spin(0.1);
  scanning = false;
  expect(turns).toBeGreaterThanOrEqual(3);
});

async function all<T>(source: AsyncIterable<T>): Promise<T[]> {
  const items = [];
  for await (const item of source) items.push(item);
  return items;
}

/** Burns CPU, as a reader of rows does. */
function spin(milliseconds: number): void {
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
}
