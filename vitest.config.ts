import { defineConfig } from "vitest/config";

/**
 * The one test configuration. A package's own `vitest.config.ts` re-exports it, so that `turbo run test` finds it there:
 * unit tests stand beside the source, integration tests start the real thing and live in `test/`.
 */
const source = ["@pillion/source", "node", "import", "default"];

export default defineConfig({
  resolve: { conditions: source },
  ssr: { resolve: { conditions: source, externalConditions: source } },
  test: {
    projects: [
      {
        extends: true,
        test: { name: "unit", include: ["src/**/*.test.ts"], testTimeout: 10_000 },
      },
      {
        extends: true,
        test: {
          name: "integration",
          include: ["test/**/*.test.ts"],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
    ],
    passWithNoTests: false,
    restoreMocks: true,
    unstubEnvs: true,
  },
});
