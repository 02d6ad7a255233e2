import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { format, inspect } from "node:util";
import { expect, test } from "vitest";
import { Secret } from "./secret.ts";

const secret = new Secret("hunter2");

test("the one who needs it gets it", () => expect(secret.reveal()).toBe("hunter2"));

test.each<[string, string]>([
  ["String", String(secret)],
  ["text that it is put into", "".concat(secret.toString()).concat(String([secret]))],
  ["JSON", JSON.stringify({ secret })],
  ["inspect", inspect({ nested: { secret } }, { depth: 5, showHidden: true })],
  ["inspect without custom functions", inspect(secret, { customInspect: false, showHidden: true })],
  ["format %s", format("%s", secret)],
  ["format %o", format("%o", secret)],
  ["format %O", format("%O", secret)],
  ["format %j", format("%j", secret)],
  ["format without a place", format("it is", secret)],
  ["its own properties", JSON.stringify([Object.entries(secret), Reflect.ownKeys(secret)])],
])("%s does not show it", (_way, text) => expect(text).not.toContain("hunter2"));

test("a secret in a file is read anew each time, without the line end that editors add", async () => {
  const directory = await mkdtemp(join(tmpdir(), "secret-"));
  try {
    const path = join(directory, "token");
    await writeFile(path, "first\n");
    const rotating = Secret.fromFile(path);
    expect(rotating.reveal()).toBe("first");
    await writeFile(path, "second \r\n");
    expect(rotating.reveal()).toBe("second ");
    await writeFile(path, "two\nlines\n\n");
    expect(rotating.reveal()).toBe("two\nlines\n");
    await rm(path);
    expect(() => rotating.reveal()).toThrow("ENOENT");
  } finally {
    await rm(directory, { recursive: true });
  }
});
