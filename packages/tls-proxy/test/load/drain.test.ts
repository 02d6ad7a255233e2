import { expect, test } from "vitest";
import { startCommand } from "../start-command.ts";
import { startLoadApp } from "./load-app.ts";
import { Load } from "./load.ts";

test.each([true, false])(
  "SIGTERM under load, with another one to go to: no request fails, exit 0 (clients keep connections: %s)",
  async (keepAlive) => {
    await using app = await startLoadApp();
    await using ending = await startCommand(app.address, ["--drain-delay", "500ms"]);
    await using other = await startCommand(app.address);
    // A load balancer sends new connections elsewhere once this one isn't ready; those that are there stay.
    let target = ending;
    await using load = new Load(() => target, { clients: 40, length: 50_000, keepAlive });
    await load.gets(150);
    ending.process.kill("SIGTERM");
    while ((await fetch(`http://${ending.admin}/readyz`)).status === 200);
    target = other;
    expect(await ending.exited).toBe(0);
    await load.gets(150);
    await load.stop();
    console.log(load.summary());
    expect(load.unserved).toEqual([]);
    // At most one each: its connection ended with an answer whose head couldn't say so any more.
    expect(load.repeated).toBeLessThanOrEqual(40);
  },
);
