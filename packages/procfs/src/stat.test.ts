import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { recorded, recordedFile } from "../fixtures/recorded.ts";
import { renderStat } from "../fixtures/tree.ts";
import { MalformedProcFile } from "./malformed.ts";
import { hasExited, parseStat } from "./stat.ts";

const { cast } = recorded;

describe("parseStat", () => {
  test("reads the fields of a recorded process", () => {
    expect(parseStat(recordedFile(cast.master, "stat"))).toMatchObject({
      pid: cast.master,
      name: "node-MainThread",
      state: "S",
      parent: cast.self,
      nice: 0,
      threads: 7,
    });
    const [, text = ""] = recordedFile(cast.master, "stat").toString().split(") ");
    const fields = text.split(" ").map(Number); // fields[0] is field 3
    expect(parseStat(recordedFile(cast.master, "stat"))).toMatchObject({
      processGroup: fields[2],
      session: fields[3],
      minorFaults: fields[7],
      majorFaults: fields[9],
      userTicks: fields[11],
      systemTicks: fields[12],
      startTime: fields[19],
      virtualBytes: fields[20],
      residentPages: fields[21],
    });
  });

  test("reads a recorded name with a parenthesis, a state and a line feed in it", () => {
    const stat = parseStat(recordedFile(cast.hostile, "stat"));
    expect(stat).toMatchObject({ name: "a) R 1 (\nb\\", state: "S", parent: cast.self });
  });

  test("reads a recorded kernel thread and a recorded zombie", () => {
    const thread = parseStat(recordedFile(cast.kernelThread, "stat"));
    expect(thread).toMatchObject({ name: "kthreadd", parent: 0, virtualBytes: 0 });
    const zombie = parseStat(recordedFile(cast.zombie, "stat"));
    expect(zombie).toMatchObject({ state: "Z", parent: cast.zombieParent, residentPages: 0 });
  });

  test("gives back whatever was rendered, for any bytes as the name", () => {
    const whole = fc.maxSafeNat();
    const stats = fc.record({
      pid: fc.integer({ min: 1, max: 2 ** 22 }),
      state: fc.constantFrom("R", "S", "D", "Z", "T", "t", "X", "I"),
      parent: fc.nat(),
      processGroup: fc.nat(),
      session: fc.nat(),
      minorFaults: whole,
      majorFaults: whole,
      userTicks: whole,
      systemTicks: whole,
      nice: fc.integer({ min: -20, max: 19 }),
      threads: fc.nat(),
      startTime: whole,
      virtualBytes: whole,
      residentPages: whole,
    });
    fc.assert(
      fc.property(stats, anyComm, (stat, comm) => {
        const name = new TextDecoder("utf-8", { ignoreBOM: true }).decode(comm);
        expect(parseStat(renderStat({ ...stat, comm }))).toEqual({ ...stat, name });
      }),
    );
  });

  test("keeps a byte order mark at the start of a name", () => {
    expect(parseStat(renderStat({ pid: 42, name: "\uFEFFapp" })).name).toBe("\uFEFFapp");
  });

  test("refuses a line that was cut off anywhere within the fields it needs, rather than giving wrong numbers", () => {
    const line = renderStat({ pid: 42, name: "a) R 1 (b", residentPages: 12345 });
    const needed = line.indexOf("12345 ") + "12345".length;
    for (let length = 0; length <= needed; length++)
      expect(() => parseStat(line.subarray(0, length))).toThrow(MalformedProcFile);
    expect(parseStat(line.subarray(0, needed + 1)).residentPages).toBe(12345);
  });

  test.for([
    ["nothing", ""],
    ["no name", "42 S 1 1 1"],
    ["no pid", "(app) S 1 1 1"],
    ["a pid that is no number", "4x (app) S 1 1 1"],
    ["no state", "42 (app)"],
    ["a field that is no number", "42 (app) S 1 1 x 0"],
    ["a fraction", renderStat({ pid: 42 }).toString().replace(" 4194560 ", " 1.5 ")],
  ])("refuses %s and shows it", ([, text = ""]) => {
    expect(() => parseStat(Buffer.from(text))).toThrow(JSON.stringify(text.slice(0, 10)).slice(0, -1));
  });
});

test("a zombie has exited, a leader whose threads live on has not", () => {
  expect(hasExited(parseStat(recordedFile(cast.zombie, "stat")))).toBe(true);
  expect(hasExited(parseStat(renderStat({ pid: 42, state: "Z", threads: 3 })))).toBe(false);
  expect(hasExited(parseStat(recordedFile(cast.master, "stat")))).toBe(false);
});

/** Any bytes but NUL, and often the ones that look like the fields behind the name. */
const anyComm = fc
  .oneof(
    fc.uint8Array({ min: 1, maxLength: 15 }),
    fc.stringMatching(/^[() RSZ0-9\n]{0,15}$/).map((text) => new TextEncoder().encode(text)),
  )
  .filter((comm) => comm.length <= 15);
