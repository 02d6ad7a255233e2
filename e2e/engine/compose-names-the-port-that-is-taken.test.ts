import { describe, expect, test } from "vitest";
import { available, engine, images } from "./parts/available.ts";
import { prepareDemo, remains } from "./parts/compose-demo.ts";
import { composes } from "./parts/compose.ts";
import { takePort } from "./parts/taken-port.ts";

for (const compose of composes) {
  describe.runIf(await available(engine, images, compose))(`with ${compose.title}, up`, () => {
    test("names the port that is taken, leaves nothing after down, and starts when it is free", async () => {
      await using demo = await prepareDemo(compose);
      const { https } = demo.ports;
      {
        await using _taken = await takePort(https);
        const words = await demo.compose("up", "--detach", "--no-build").catch((error: Error) => error.message);
        expect(words).toMatch(
          new RegExp(`127\\.0\\.0\\.1:${https}.*(?:address already in use|port is already allocated)`),
        );
        await demo.compose("down", "--volumes");
        expect(await remains(demo.project)).toEqual([]);
      }
      await demo.compose("up", "--detach", "--no-build");
      await expect.poll(async () => (await demo.askHttps("/").catch(() => undefined))?.status).toBe(200);
    }, 120_000);
  });
}
