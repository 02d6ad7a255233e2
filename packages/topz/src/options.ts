import { defineOptions } from "@pillion/kit";
import { cmdlineModes } from "./command-line.ts";

export const options = defineOptions({
  listen: {
    type: "address",
    aliases: ["addr"],
    help: "A further address for the page, beside the admin listener that always serves it.",
  },
  interval: { type: "duration", default: "2s", min: 100, max: 86_400_000, help: "Time between two samples." },
  cmdline: {
    type: "choice",
    choices: cmdlineModes,
    default: "redacted",
    help: "How command lines are shown: whole, without what looks like a secret, or only the program's name.",
  },
});
