import { defineConfig } from "vitest/config";

/** Each bench is a folder of its own, so that unit tests aren't in `src`. */
export default defineConfig({
  test: {
    projects: [
      { test: { name: "unit", include: ["*.test.ts", "*/*.test.ts"], exclude: ["test/**"] } },
      { test: { name: "integration", include: ["test/*.test.ts"], testTimeout: 300_000 } },
    ],
  },
});
