import { inject, test } from "vitest";
import { describeLogs } from "./starting.ts";
import type { Driver, DriverName, Group, GroupPlan } from "./driver.ts";
import { driver as image } from "./image.ts";
import { driver as pod } from "./pod.ts";
import { driver as process_ } from "./process.ts";

declare module "vitest" {
  interface ProvidedContext {
    readonly driver: DriverName;
  }
}

const drivers: Record<DriverName, Driver> = { process: process_, image, pod };

/** What a scenario has to do with. */
export interface Stage {
  readonly driver: DriverName;
  /** Starts a group that goes when the scenario ends, however it ends. */
  start(plan: GroupPlan): Promise<Group>;
  /** Aborts when the scenario's time is over. */
  readonly signal: AbortSignal;
}

export interface ScenarioOptions {
  /** The drivers that can show it. */
  readonly on: readonly DriverName[];
  /** Milliseconds. */
  readonly timeout?: number;
}

/** Registers a test for the driver of this run. A driver that can't run here skips it, unless `E2E_REQUIRE` names the driver. */
export function scenario(
  title: string,
  { on, timeout = 120_000 }: ScenarioOptions,
  act: (stage: Stage) => Promise<void>,
): void {
  const name = inject("driver");
  // oxlint-disable-next-line vitest/expect-expect, vitest/valid-title -- those are the scenario's
  test(title, { timeout }, async ({ signal, skip, task, onTestFinished }) => {
    if (!on.includes(name)) skip(`driver ${name}: this is for ${on.join(" and ")}`);
    const driver = drivers[name];
    const reason = await driver.unavailable();
    if (reason && isRequired(name)) throw new Error(`driver ${name} is required and can't run here: ${reason}`);
    if (reason) skip(`driver ${name} can't run here: ${reason}`);
    const start = async (plan: GroupPlan) => {
      const group = await driver.start(plan);
      onTestFinished(async () => {
        if (task.result?.state === "fail") console.error(await describeLogs(group));
        await group[Symbol.asyncDispose]();
      });
      return group;
    };
    await act({ driver: name, start, signal });
  });
}

function isRequired(name: DriverName): boolean {
  return (process.env["E2E_REQUIRE"] ?? "").split(",").includes(name);
}
