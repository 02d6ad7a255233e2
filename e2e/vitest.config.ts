import { defineConfig, mergeConfig } from "vitest/config";
import base from "../vitest.config.ts";
import { driverNames } from "./drivers/driver.ts";

/** The tests of the repository itself, and each scenario once with each driver; what only images and engines have is in engine/. */
export default mergeConfig(
  base,
  defineConfig({
    test: {
      reporters: "verbose", // with the reason of each skip
      projects: [
        ...driverNames.map((driver) => ({
          extends: true as const,
          test: {
            name: driver,
            include: ["scenarios/*.test.ts"],
            provide: { driver },
            ...(driver === "pod" && { globalSetup: "drivers/pod-store.ts" }),
            expect: { poll: { timeout: 30_000, interval: 100 } },
          },
        })),
        {
          extends: true as const,
          test: {
            name: "engine",
            include: ["engine/*.test.ts"],
            // after all others and one by one: they build, and measure how long things take
            fileParallelism: false,
            sequence: { groupOrder: 1 },
            expect: { poll: { timeout: 30_000, interval: 100 } },
            testTimeout: 60_000,
            hookTimeout: 60_000,
          },
        },
      ],
    },
  }),
);
