import { expect } from "vitest";
import { scenario } from "../drivers/scenario.ts";
import { readiness } from "./parts/asking.ts";
import { noticeboard } from "./parts/noticeboard.ts";
import { processes } from "./parts/processes.ts";

scenario("topz alone sees only itself, and says so", { on: ["image"] }, async ({ start }) => {
  const group = await start({ ...noticeboard("topz"), sharedProcesses: false });
  await expect.poll(() => processes(group)).toEqual([expect.objectContaining({ pid: 1 })]);
  expect((await processes(group))[0]?.commandLine).toContain("topz");
  expect(await readiness(group, "topz")).toMatch(/^200 degraded: .*only itself/);
});
