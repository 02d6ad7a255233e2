import { chmodSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { procTree } from "../fixtures/tree.ts";
import { identify, openFileDescriptors, readProcess, systemInformation } from "../src/index.ts";
import { onLinux, startNode, startShell } from "./app.ts";

const NOBODY = 65_534;
const asRoot = process.getuid?.() === 0;
if (!asRoot) console.log("skipped: acting as another user takes root");

/** Acts with another user's rights; capabilities go and come back with the effective uid. */
function asNobody<T>(action: () => T): T {
  if (!asRoot) return action();
  process.seteuid?.(NOBODY);
  try {
    return action();
  } finally {
    process.seteuid?.(0);
  }
}

test("a file that may not be read is null, a process that is gone is undefined", () => {
  using tree = procTree([{ pid: 42 }]);
  chmodSync(tree.root, 0o755);
  chmodSync(join(tree.root, "42", "cmdline"), 0);
  chmodSync(join(tree.root, "42", "status"), 0);
  expect(asNobody(() => readProcess(42, tree))).toMatchObject({
    stat: { pid: 42 },
    status: null,
    commandLine: null,
  });
  expect(asNobody(() => readProcess(43, tree))).toBe(undefined);
});

test("a process whose stat may not be read is hidden, as with hidepid", () => {
  using tree = procTree([{ pid: 42 }]);
  chmodSync(tree.root, 0o755);
  chmodSync(join(tree.root, "42", "stat"), 0);
  expect(asNobody(() => identify(42, tree.root))).toBe(undefined);
});

describe.runIf(onLinux && asRoot)("another user's process", () => {
  test("shows its row and its number of descriptors to a user without capabilities", async () => {
    await using app = await startNode();
    const seen = asNobody(() => ({
      row: readProcess(app.pid),
      descriptors: openFileDescriptors(app.pid),
    }));
    expect(seen.row).toMatchObject({
      stat: { parent: process.pid },
      status: { uids: { real: 0 } },
    });
    expect(seen.row?.commandLine?.[0]).toBe(process.execPath);
    expect(seen.descriptors).toBe(openFileDescriptors(app.pid));
  });

  test("is told by its user ids", async () => {
    await using app = await startShell("", { uid: NOBODY, gid: NOBODY });
    const ids = { real: NOBODY, effective: NOBODY, saved: NOBODY, filesystem: NOBODY };
    expect(readProcess(app.pid)?.status).toMatchObject({
      uids: ids,
      gids: ids,
      effectiveCapabilities: 0n,
    });
  });
});

test.runIf(onLinux)("the page size is known also to a process that gave up its privileges", () => {
  expect(asNobody(() => systemInformation().pageBytes)).toBe(systemInformation().pageBytes);
});
