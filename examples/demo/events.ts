import type { Ending, Program, ProgramWatcher } from "./program.ts";
import type { ProgramName } from "./programs.ts";
import { sentence } from "./sentences.ts";

/** Something that a person wants to know. */
export interface Event {
  readonly program: ProgramName;
  readonly level: "info" | "warn" | "error";
  readonly text: string;
}

/** Turns what the programs log, and how they come and go, into events. */
export function eventsOf(report: (event: Event) => void): ProgramWatcher {
  return {
    line({ spec: { name } }, line) {
      const said = sentence(name, line);
      if (said) report({ program: name, ...said });
    },
    ended: ({ spec: { name } }, ending, restartIn) =>
      report({
        program: name,
        level: "error",
        text: `${describe(ending)}; starting it again in ${(restartIn / 1000).toFixed(1)} s`,
      }),
    restarted: (program: Program) =>
      report({ program: program.spec.name, level: "info", text: `started again, pid ${program.pid}` }),
  };
}

function describe(ending: Ending): string {
  return typeof ending === "number" ? `ended with exit code ${ending}` : `was killed by ${ending}`;
}
