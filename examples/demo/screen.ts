import { styleText } from "node:util";
import type { Event } from "./events.ts";
import { programNames } from "./programs.ts";

/** Where the demo writes. */
export interface Screen {
  write(text: string): unknown;
}

const NAME_WIDTH = Math.max(...programNames.map((name) => name.length)) + 2;
const COLOURS = { info: "green", warn: "yellow", error: "red" } as const;

/** One line an event: time, who, what. Colours only where a terminal shows them; NO_COLOR is obeyed. */
export function writeEvent(screen: Screen, { program, level, text }: Event, now = new Date()): void {
  const time = styleText("dim", now.toTimeString().slice(0, 8));
  screen.write(`${time}  ${styleText(COLOURS[level], program.padEnd(NAME_WIDTH))}${text}\n`);
}
