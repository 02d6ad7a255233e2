import { expect } from "vitest";
import { sidecarNames } from "../drivers/driver.ts";
import { scenario } from "../drivers/scenario.ts";
import { noticeboard } from "./parts/noticeboard.ts";

scenario(
  "a wrong flag ends with exit 2, and the log's last line says why",
  { on: ["process", "image"] },
  async ({ start }) => {
    const wrong = Object.fromEntries(sidecarNames.map((name) => [name, () => ["--drain-delay=soon"]]));
    const { app: _, ...rest } = noticeboard(...sidecarNames);
    const group = await start({ ...rest, sidecars: { ...rest.sidecars, ...wrong } });
    for (const sidecar of sidecarNames) {
      expect(await group.ended(sidecar)).toMatchObject({ code: 2 });
      const lastLine = (await group.log(sidecar)).trimEnd().split("\n").at(-1);
      expect(lastLine, sidecar).toMatch(/^ {2}--\S+.*: /);
      expect(await group.log(sidecar)).toContain('--drain-delay "soon"');
    }
  },
);
