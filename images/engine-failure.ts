import { stripVTControlCharacters } from "node:util";
import { describeFault } from "@pillion/kit";
import { BuildError } from "./build-error.ts";

interface Cause {
  readonly pattern: RegExp;
  readonly reason: string;
  readonly remedy: string;
}

const causes: readonly Cause[] = [
  {
    pattern: /no space left on device|disk quota exceeded/i,
    reason: "the disk is full",
    remedy: "Make room, for instance with `docker system prune`",
  },
  {
    pattern: /cannot connect to the docker daemon|is the docker daemon running|failed to connect to the docker api/i,
    reason: "the engine has gone away",
    remedy: "Start it again",
  },
  {
    pattern:
      /temporary failure (?:in name resolution|resolving)|could not resolve host|network is unreachable|ENOTFOUND|EAI_AGAIN/i,
    reason: "a server that the build needs can't be reached",
    remedy: "Check the network and the engine's proxy settings",
  },
];

const LAST_LINES = 12;

/** What Docker's classic builder always says at the end. */
const noise =
  /^DEPRECATED: The legacy builder|^\s+(?:BuildKit is currently disabled|environment-variable\.|Install the buildx|https:\/\/docs\.docker\.com\/go\/buildx)|^Removing intermediate container/;

/** What is likely the matter, and then the end of what the engine said. */
export function engineFailure(command: string, said: string): BuildError {
  const cause = causes.find(({ pattern }) => pattern.test(said));
  const { reason, remedy } = cause ?? { reason: "it failed", remedy: "Its last words follow; --verbose shows all" };
  const lines = stripVTControlCharacters(said)
    .split("\n")
    .filter((line) => line.trim() !== "" && !noise.test(line));
  const told = lines.slice(-LAST_LINES).map((line) => `  ${line}`);
  return new BuildError([describeFault({ subject: command, reason, remedy }), ...told].join("\n"));
}
