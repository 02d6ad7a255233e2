import { expect, test } from "vitest";
import { findCpuGroup } from "./control-group.ts";

test("a group of version 1 is found by the controller that counts CPU time, alone or mounted with another", () => {
  expect(findCpuGroup("4:memory:/docker/a\n2:cpuacct:/docker/a\n0::/docker/a\n")).toEqual({
    directory: "cpuacct/docker/a",
    version: 1,
  });
  expect(findCpuGroup("2:cpu,cpuacct:/docker/b:c\n").directory).toBe("cpuacct/docker/b:c");
});

test("without one it is the group of version 2", () => {
  expect(findCpuGroup("0::/system.slice/docker-a.scope\n")).toEqual({
    directory: "/system.slice/docker-a.scope",
    version: 2,
  });
  expect(() => findCpuGroup("4:memory:/\n")).toThrow(/no control group/);
});
