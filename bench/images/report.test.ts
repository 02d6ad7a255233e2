import { expect, test } from "vitest";
import { cpuTable, memoryTable, sizeTable } from "./report.ts";
import { type Subject, peers, sidecars } from "./subjects.ts";

const times = { settled: 10, late: 70 };

test("a figure stands beside its target, and one that misses it says so", () => {
  const rows = [4.5e7, 4.6e7].map((packed) => ({ what: "base", size: { unpacked: 1e8, packed }, target: 45 }));
  expect(sizeTable(rows).split("\n").slice(2)).toEqual([
    "| base | 100.00 | 45.00 | ≤ 45 ✓ |",
    "| base | 100.00 | 46.00 | ≤ 45 **missed** |",
  ]);
});

test("memory of all sidecars is summed up; a peer has no target", () => {
  const table = memoryTable([], [idle(sidecars[0]), idle(sidecars[1])], [idle(peers[0])], times);
  expect(table).toContain("| all four |  |  | 20.0 | 20.0 |  | 100.0 | 40.0 |");
  expect(table).toMatch(/^\| topz .* \| ≤ 18 ✓ \|/m);
  expect(table.split("\n").at(-1)).not.toContain("≤");
});

test("what was not measured is left empty, and not zero", () => {
  expect(cpuTable([{ idle: idle(peers[0]) }])).toMatch(/\| 0\.050 \|  \|  \|  \|  \|  \|$/);
});

function idle(subject: Subject | undefined) {
  if (!subject) throw new Error("no such subject");
  const memory = { resident: 50e6, proportional: 20e6, private: 10e6 };
  return { subject, settled: memory, late: memory, cpu: 0.05 };
}
