import { describeFault } from "./errors.ts";
import { type OptionTable, environmentName, optionNames } from "./options.ts";
import type { Written } from "./read-options.ts";

/** What the environment holds, by option; an empty variable is as good as none. Unknown ones with the prefix are warned of. */
export function readVariables(
  table: OptionTable,
  name: string,
  env: Readonly<Record<string, string | undefined>>,
): { readonly written: ReadonlyMap<string, readonly Written[]>; readonly warnings: readonly string[] } {
  const prefix = environmentName(name, "");
  const written = new Map<string, readonly Written[]>();
  const known = new Set<string>();
  for (const [key, option] of Object.entries(table)) {
    for (const word of optionNames(key, option)) {
      for (const file of option.type === "secret" ? [false, true] : [false]) {
        const variable = environmentName(name, word, ...(file ? ["file"] : []));
        const value = env[variable];
        known.add(variable);
        if (value === undefined || value === "" || written.has(key)) continue;
        const parts = option.repeat ? value.split(",").map((part) => part.trim()) : [value];
        written.set(
          key,
          parts.map((part) => ({ name: variable, value: part, file })),
        );
      }
    }
  }
  const unknownNames = Object.keys(env).filter(
    (one) => one.startsWith(prefix) && !known.has(one) && !isServiceLink(one, prefix),
  );
  const warnings = unknownNames.map((subject) =>
    describeFault({ subject, reason: "no option is called so, it has no effect", remedy: "--help lists all" }),
  );
  return { written, warnings };
}

/** Kubernetes injects these for a service that is called like the sidecar (kubernetes.io, "Service environment variables"). */
function isServiceLink(variable: string, prefix: string): boolean {
  return /^(?:PORT(?:_.*)?|SERVICE_.*)$/.test(variable.slice(prefix.length));
}
