import { expect, test } from "vitest";
import { recorded, recordedFile } from "../fixtures/recorded.ts";
import { blocks, catches, ignores } from "./signals.ts";
import { parseStatus } from "./status.ts";

const statusOf = (text: string) => parseStatus(Buffer.from(`Name:\tapp\n${text}\n`));

test("the recorded master catches SIGHUP, its worker doesn't", () => {
  const { master, worker } = recorded.cast;
  expect(catches(parseStatus(recordedFile(master, "status")), "SIGHUP")).toBe(true);
  expect(catches(parseStatus(recordedFile(worker, "status")), "SIGHUP")).toBe(false);
});

test("signal n is bit n-1", () => {
  expect(catches(statusOf("SigCgt:\t0000000000000001"), "SIGHUP")).toBe(true);
  expect(catches(statusOf("SigCgt:\t0000000000000001"), "SIGINT")).toBe(false);
  expect(ignores(statusOf("SigIgn:\t0000000000001000"), "SIGPIPE")).toBe(true);
  expect(ignores(statusOf("SigIgn:\t0000000000001000"), "SIGTERM")).toBe(false);
  expect(blocks(statusOf("SigBlk:\t0000000000004000"), "SIGTERM")).toBe(true);
});

test("a mask that the kernel doesn't give is unknown, which is not a yes", () => {
  expect(catches(statusOf("State:\tS"), "SIGHUP")).toBe(null);
});
