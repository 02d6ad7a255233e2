const sidecars = "topz|tls-proxy|repo-updater|config-sync";

/**
 * Which way imports point: node and libraries ← procfs ← kit ← sidecars ← examples, e2e; in a sidecar
 * cli → sidecar → server → domain. It looks at what is built, since its own parser doesn't know TypeScript 7 or `using`.
 */
export default {
  forbidden: [
    { name: "no-circular", severity: "error", from: {}, to: { circular: true } },
    { name: "resolvable", severity: "error", from: {}, to: { couldNotResolve: true } },
    {
      name: "procfs-stands-alone",
      severity: "error",
      from: { path: "^packages/procfs/dist" },
      to: { pathNot: "^packages/procfs/dist", dependencyTypesNot: ["core"] },
    },
    {
      name: "kit-knows-no-sidecar",
      severity: "error",
      from: { path: "^packages/kit" },
      to: { path: `^packages/(${sidecars})/` },
    },
    {
      name: "sidecars-keep-apart",
      severity: "error",
      from: { path: `^packages/(${sidecars})/` },
      to: { path: `^packages/(${sidecars})/`, pathNot: "^packages/$1/" },
    },
    {
      name: "only-through-exports",
      severity: "error",
      from: { path: "^(packages/[^/]+|examples/[^/]+|e2e|scripts)/" },
      to: { path: "^packages/[^/]+/", pathNot: "^$1/", dependencyTypes: ["local"] },
    },
    {
      name: "nothing-imports-the-command-line",
      severity: "error",
      from: { path: `^packages/(${sidecars})/dist` },
      to: { path: `^packages/(${sidecars})/dist/(cli|healthcheck)\\.js$` },
    },
    {
      name: "domain-knows-no-sidecar",
      severity: "error",
      from: { path: `^packages/(${sidecars})/dist`, pathNot: "/(cli|index)\\.js$" },
      to: { path: `^packages/(${sidecars})/dist/sidecar\\.js$` },
    },
    {
      name: "domain-knows-no-server",
      severity: "error",
      from: { path: `^packages/(${sidecars})/dist`, pathNot: "/sidecar\\.js$" },
      to: { path: `^packages/(${sidecars})/dist/server\\.js$` },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    exclude: { path: "\\.d\\.ts$" },
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["node", "import", "require", "default"] },
  },
};
