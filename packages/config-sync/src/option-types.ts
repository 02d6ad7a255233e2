import { constants } from "node:os";
import { resolve } from "node:path";
import type { OptionType } from "@pillion/kit";
import { parseProcessQuery } from "@pillion/procfs";
import type { ProcessSelector } from "./app.ts";
import { directorySource } from "./directory-source.ts";
import type { Source } from "./source.ts";

/** A directory on the command line; in code, any source. */
export const source: OptionType<Source> = {
  placeholder: "DIRECTORY",
  expects: "a directory",
  parse(text) {
    if (text === "") throw new RangeError("empty");
    return directorySource(resolve(text));
  },
  format: ({ name }) => name,
};

/** `signal:HUP` or `signal:SIGHUP`. */
export const notification: OptionType<NodeJS.Signals> = {
  placeholder: "HOW",
  expects: "signal:NAME, such as signal:HUP",
  parse(text) {
    const [, name = ""] = /^signal:(?:SIG)?([A-Z0-9]+)$/.exec(text) ?? [];
    const signal = `SIG${name}`;
    if (name === "") throw new RangeError("not a way to tell an app");
    if (!isSignal(signal)) throw new RangeError(`${signal} is no signal of this system`);
    if (signal === "SIGKILL" || signal === "SIGSTOP") throw new RangeError(`no process can handle ${signal}`);
    return signal;
  },
  format: (signal) => signal.replace(/^SIG/, "signal:"),
};

export const processSelector: OptionType<ProcessSelector> = {
  placeholder: "QUERY",
  expects: "name=NAME, cmdline=EXPRESSION or script=FILE",
  parse: (text) => ({ text, query: parseProcessQuery(text) }),
  format: ({ text }) => text,
};

function isSignal(name: string): name is NodeJS.Signals {
  return Object.hasOwn(constants.signals, name);
}
