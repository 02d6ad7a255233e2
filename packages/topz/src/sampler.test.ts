import { expect, test } from "vitest";
import type { ProcessReading, ProcessSource } from "./process-table.ts";
import { Sampler } from "./sampler.ts";

const { signal } = new AbortController();

function reading(more: Partial<ProcessReading> = {}): ProcessReading {
  return {
    pid: 1,
    startTime: 100,
    parent: 0,
    name: "app",
    state: "S",
    threads: 1,
    residentBytes: 250,
    cpuSeconds: 10,
    commandLine: ["app", "--token=hunter2"],
    ...more,
  };
}

/** Samples one reading after the other, each a second after the one before unless it says when. */
async function samples(...rounds: { at?: number; of: ProcessReading[] }[]) {
  let round = -1;
  const source: ProcessSource = {
    totalMemoryBytes: 1_000,
    read: async () => rounds[++round]?.of ?? [],
    close() {},
  };
  const sampler = new Sampler(source, "redacted", () => rounds[round]?.at ?? round * 1_000);
  while (round < rounds.length - 1) await sampler.sample(signal);
  return sampler.latest;
}
const cpuOf = async (...rounds: Parameters<typeof samples>) =>
  (await samples(...rounds))?.processes.map((row) => row.cpuPercent);

test("before the first sample there is none", () => {
  const sampler = new Sampler({ totalMemoryBytes: 1, read: async () => [], close() {} }, "full");
  expect(sampler.latest).toBeUndefined();
});

test("the first sample knows everything but the use of CPU", async () => {
  const snapshot = await samples({ of: [reading()] });
  expect(snapshot).toMatchObject({ overMilliseconds: null, takenAt: expect.stringMatching(/^\d{4}-.*Z$/) });
  expect(snapshot?.processes).toEqual([
    {
      pid: 1,
      parent: 0,
      name: "app",
      state: "S",
      threads: 1,
      cpuPercent: null,
      cpuSeconds: 10,
      memoryPercent: 25,
      residentBytes: 250,
      commandLine: "app --token=[redacted]",
    },
  ]);
});

test("CPU use is the difference of two readings over the time between them; 100 is one core", async () => {
  expect(await cpuOf({ of: [reading()] }, { of: [reading({ cpuSeconds: 10.5 })] })).toEqual([50]);
  expect(await cpuOf({ of: [reading()] }, { at: 4_000, of: [reading({ cpuSeconds: 18 })] })).toEqual([200]);
  expect(await cpuOf({ of: [reading()] }, { at: 3_000, of: [reading({ cpuSeconds: 11 })] })).toEqual([33.3]);
  expect((await samples({ of: [] }, { at: 2_500.4, of: [] }))?.overMilliseconds).toBe(2_500);
});

test("a process that is new used all its time since the last sample", async () => {
  expect(await cpuOf({ of: [] }, { of: [reading({ cpuSeconds: 0.2 })] })).toEqual([20]);
});

test("another process with the pid of one that ended is a new one", async () => {
  const rounds = [{ of: [reading({ cpuSeconds: 500 })] }, { of: [reading({ startTime: 101, cpuSeconds: 0.1 })] }];
  expect(await cpuOf(...rounds)).toEqual([10]);
});

test("one that vanished is gone, and back after a round it counts from nothing known", async () => {
  const [one, two] = [reading(), reading({ pid: 2 })];
  expect((await samples({ of: [one, two] }, { of: [one] }))?.processes.map(({ pid }) => pid)).toEqual([1]);
});

test("time that stands still or goes back gives no percentage rather than a wrong one", async () => {
  expect(await cpuOf({ at: 5_000, of: [reading()] }, { at: 5_000, of: [reading({ cpuSeconds: 11 })] })).toEqual([null]);
  expect(await cpuOf({ at: 5_000, of: [reading()] }, { at: 4_000, of: [reading({ cpuSeconds: 11 })] })).toEqual([null]);
  expect(await cpuOf({ of: [reading()] }, { of: [reading({ cpuSeconds: 9 })] })).toEqual([0]);
});

test("what could not be read is null, never 0", async () => {
  const unreadable = reading({ cpuSeconds: null, residentBytes: null, threads: null, commandLine: null });
  const snapshot = await samples({ of: [unreadable] }, { of: [unreadable] });
  expect(snapshot?.processes[0]).toMatchObject({
    cpuPercent: null,
    cpuSeconds: null,
    memoryPercent: null,
    residentBytes: null,
    threads: null,
    commandLine: "[app]",
  });
});

test("a source that measures percentages itself is believed", async () => {
  expect(await cpuOf({ of: [reading({ cpuSeconds: null, cpuPercent: 12.34 })] })).toEqual([12.3]);
});
