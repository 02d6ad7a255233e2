import { rm } from "node:fs/promises";
import { createInterface } from "node:readline";
import { endGroups } from "./groups.ts";

// The kernel closes our input when the demo ends, however it ended. What it hasn't ended by then is ended here.
const groups = new Set<number>();
for await (const line of createInterface({ input: process.stdin })) {
  const group = Number(line.slice(1));
  if (line.startsWith("+")) groups.add(group);
  else groups.delete(group);
}
await endGroups(groups);
const [, , directory] = process.argv;
if (directory !== undefined) await rm(directory, { recursive: true, force: true, maxRetries: 5 });
