import { readFile } from "node:fs/promises";
import { expect } from "vitest";
import { docker } from "../drivers/engine.ts";
import { type Group, sidecarNames } from "../drivers/driver.ts";
import { scenario } from "../drivers/scenario.ts";
import { askHttps, readiness, statusLine } from "./parts/asking.ts";
import { greet } from "./parts/configuration.ts";
import { noticeboard } from "./parts/noticeboard.ts";
import { processes } from "./parts/processes.ts";
import { push } from "./parts/repository.ts";

for (const user of [65_532, 31_337]) {
  scenario(
    `every image is ready and works with a read-only root, no capabilities, no new privileges, as uid ${user}`,
    { on: ["image"] },
    async ({ start }) => {
      const group = await start({ ...noticeboard(...sidecarNames), user });
      for (const sidecar of sidecarNames) await expect.poll(() => readiness(group, sidecar)).toBe("200 ready");

      await expect
        .poll(() => processes(group))
        .toContainEqual(expect.objectContaining({ commandLine: expect.stringContaining("server.js --port") }));
      await push(group, { "fog.txt": "Fog until noon" });
      await expect.poll(async () => (await askHttps(group, "/fog.txt")).text).toBe("Fog until noon");
      await greet(group, "Sound your horn");
      await expect.poll(() => statusLine(group, "greeting")).toBe("Sound your horn");

      const confined = await confinements(group);
      expect(confined).toHaveLength(sidecarNames.length + 1);
      for (const one of confined) {
        expect(one).toEqual({ readOnly: true, uids: Array(4).fill(user), capabilities: 0n, noNewPrivileges: 1 });
      }
    },
  );
}

/** What the kernel says of the first process of each container that sees the group's directory. */
async function confinements({ places }: Group) {
  const ids = await docker("ps", "--quiet", "--no-trunc", `--filter=volume=${places.directory}`);
  return await Promise.all(ids.split("\n").map((id) => confinement(id)));
}

async function confinement(id: string) {
  const [pid, readOnly] = (await docker("inspect", "--format={{.State.Pid}} {{.HostConfig.ReadonlyRootfs}}", id)).split(
    " ",
  );
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  const field = (name: string) => new RegExp(`^${name}:\\s*(.*)$`, "m").exec(status)?.[1] ?? "";
  const sets = ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"].map((name) => BigInt(`0x${field(name)}`));
  return {
    readOnly: readOnly === "true",
    uids: field("Uid").split("\t").map(Number),
    capabilities: sets.reduce((all, set) => all | set, 0n),
    noNewPrivileges: Number(field("NoNewPrivs")),
  };
}
