import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { recorded, recordedFile } from "../fixtures/recorded.ts";
import { MalformedProcFile } from "./malformed.ts";
import { parseStat } from "./stat.ts";
import { parseStatus } from "./status.ts";

const { cast } = recorded;

describe("parseStatus", () => {
  test("reads ids, capabilities, masks, pids and memory of a recorded process", () => {
    const status = parseStatus(recordedFile(cast.self, "status"));
    const root = { real: 0, effective: 0, saved: 0, filesystem: 0 };
    expect(status).toMatchObject({ name: "node-MainThread", uids: root, gids: root });
    expect(status.namespacePids).toEqual([cast.self]);
    expect(status.effectiveCapabilities).toBe(0x1fffeffffffn);
    const text = recordedFile(cast.self, "status").toString();
    const kilobytes = (key: string) => 1024 * Number(new RegExp(`^${key}:\\s+(\\d+) kB$`, "m").exec(text)?.[1]);
    expect(status).toMatchObject({
      virtualBytes: kilobytes("VmSize"),
      residentBytes: kilobytes("VmRSS"),
      peakResidentBytes: kilobytes("VmHWM"),
      anonymousBytes: kilobytes("RssAnon"),
      fileBytes: kilobytes("RssFile"),
      sharedMemoryBytes: 0,
      swapBytes: 0,
    });
  });

  test("tells ids apart by their place", () => {
    const { uids, gids } = parseStatus(Buffer.from("Name:\tapp\nUid:\t1\t2\t3\t4\nGid:\t5\t6\t7\t8\n"));
    expect(uids).toEqual({ real: 1, effective: 2, saved: 3, filesystem: 4 });
    expect(gids).toEqual({ real: 5, effective: 6, saved: 7, filesystem: 8 });
  });

  test("reads masks of 64 signals without rounding", () => {
    const mask = "fffffffe7ffbfeff";
    expect(parseStatus(Buffer.from(`Name:\tapp\nSigCgt:\t${mask}\n`)).caught).toBe(0xfffffffe7ffbfeffn);
  });

  test("gives the pid in each namespace", () => {
    expect(parseStatus(Buffer.from("Name:\tapp\nNSpid:\t4711\t12\t1\n")).namespacePids).toEqual([4711, 12, 1]);
  });

  test("agrees with stat about a recorded hostile name", () => {
    const { name } = parseStatus(recordedFile(cast.hostile, "status"));
    expect(name).toBe("a) R 1 (\nb\\");
    expect(name).toBe(parseStat(recordedFile(cast.hostile, "stat")).name);
  });

  test("undoes the kernel's escaping for any name", () => {
    const names = fc.oneof(fc.string({ unit: "grapheme" }), fc.stringMatching(/^[\\n\n:\t]*$/));
    fc.assert(
      fc.property(
        names.filter((name) => !name.includes("\0")),
        (name) => {
          const escaped = name.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
          const { name: parsed, caught } = parseStatus(Buffer.from(`Name:\t${escaped}\nSigCgt:\t1\n`));
          expect([parsed, caught]).toEqual([name.toWellFormed(), 1n]);
        },
      ),
    );
  });

  test.for(["a\rSigCgt:\tff", "a\u2028CapEff:\tf"])("is not taken in by a name that poses as a line: %j", (name) => {
    const status = parseStatus(Buffer.from(`Name:\t${name}\nState:\tS (sleeping)\n`));
    expect(status).toMatchObject({ name, caught: null, effectiveCapabilities: null });
  });

  test("says null, not 0, for what a kernel thread and a zombie don't have", () => {
    for (const pid of [cast.kernelThread, cast.zombie])
      expect(parseStatus(recordedFile(pid, "status"))).toMatchObject({
        residentBytes: null,
        swapBytes: null,
      });
  });

  test("says null for what a sandboxed kernel leaves out", () => {
    const status = parseStatus(Buffer.from("Name:\tapp\nVmRSS:\t12 kB\nCapEff:\t0\n"));
    expect(status).toMatchObject({
      caught: null,
      uids: null,
      namespacePids: null,
      residentBytes: 12288,
    });
  });

  test.for(["", "State:\tS\n", "Name:\tapp\nUid:\t0\n", "Name:\tapp\nSigCgt:\tzz\n", "Name:\tapp\nVmRSS:\t1 MB\n"])(
    "refuses %j",
    (text) => {
      expect(() => parseStatus(Buffer.from(text))).toThrow(MalformedProcFile);
    },
  );
});
