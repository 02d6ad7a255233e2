import { expect, test } from "vitest";
import type { Outcome } from "./efficiency.ts";
import { customProxy, fillIn } from "./proxies.ts";
import { efficiencyTable, verdict } from "./report.ts";
import { type Workload, workloads } from "./workloads.ts";

const workload = (name: string) => workloads.find((each) => each.name === name) as Workload;

/** One process that used so many milliseconds for a thousand requests, in each run. */
function outcome(name: string, ...milliseconds: readonly number[]): Outcome {
  const cpu = (all: number) => [{ user: (all * 0.4) / 1000, system: (all * 0.6) / 1000 }];
  const samples = milliseconds.map((all) => ({ requests: 1000, elapsed: 1, cpu: cpu(all) }));
  return { proxy: customProxy(`${name}=true`), samples };
}

const rowOf = (table: string, name: string) => table.split("\n").find((line) => line.startsWith(`| ${name} |`));

test("a row has the median with smallest and largest, ratios with their targets, and microseconds a request", () => {
  const outcomes = [outcome("nginx", 20, 25, 50), outcome("http-proxy", 125), outcome("relay", 25)];
  const table = efficiencyTable(workload("http1-1k"), outcomes);
  expect(rowOf(table, "nginx")).toBe("| nginx | 40000 (20000–50000) | 1.00 |  | 5.00 |  | 10.0 | 15.0 | 1000 | 3 |");
  expect(rowOf(table, "relay")).toContain("| 1.00 | ≥ 0.85 ✓ | 5.00 | ≥ 4 ✓ |");
});

test("a target that is missed is said so", () => {
  const table = efficiencyTable(workload("http1-1k"), [outcome("nginx", 20), outcome("relay", 25)]);
  expect(rowOf(table, "relay")).toContain("| 0.80 | ≥ 0.85 **missed** |");
});

test("one that failed has a reason and no figure, and nothing is measured by it", () => {
  const outcomes = [{ ...outcome("nginx", 20), failure: "it spoke h2" }, outcome("relay", 25)];
  const table = efficiencyTable(workload("http1-1k"), outcomes);
  expect(rowOf(table, "nginx")).toBeUndefined();
  expect(table).toContain("- nginx is out: it spoke h2");
  expect(table).not.toContain("of nginx");
});

test("of two workers the busier one counts", () => {
  const two = outcome("relay-2-workers");
  two.samples.push({
    requests: 1000,
    elapsed: 1,
    cpu: [
      { user: 0.01, system: 0 },
      { user: 0.015, system: 0 },
    ],
  });
  const table = efficiencyTable(workload("workers"), [outcome("relay", 25), two]);
  expect(rowOf(table, "relay-2-workers")).toContain("| 66667 (66667–66667) | 1.67 | ≥ 1.8 **missed** |");
});

test("a limit is kept at its very value", () => {
  expect(verdict(60, "≤", 60)).toBe("≤ 60 ✓");
  expect(verdict(60.1, "≤", 60)).toBe("≤ 60 **missed**");
});

test("a placeholder without a value is refused, whatever else stands in braces stays", () => {
  expect(fillIn("listen {port}; events { }", { port: 1 })).toBe("listen 1; events { }");
  expect(() => fillIn("{nope}", {})).toThrow(/"{nope}"/);
});
