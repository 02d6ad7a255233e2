import { availableParallelism } from "node:os";
import type { OptionType } from "@pillion/kit";
import { cpuLimit } from "@pillion/procfs";

/** More than this is a mistake: each has a runtime of its own. */
const MOST = 128;

/** How many processes serve; `auto` is one for each processor that this one may use. */
export const workerCount: OptionType<number> = {
  placeholder: "N|auto",
  expects: `a whole number from 1 to ${MOST}, or auto`,
  parse(text) {
    if (text === "auto") return Math.min(MOST, availableParallelism(), wholeProcessors());
    if (!/^\d{1,3}$/.test(text)) throw new RangeError("not a number of processes");
    const count = Number(text);
    if (count < 1 || count > MOST) throw new RangeError(count < 1 ? "less than 1" : `more than ${MOST}`);
    return count;
  },
  is: (value) => Number.isInteger(value) && Number(value) >= 1 && Number(value) <= MOST,
};

/**
 * Those that the CPU limits allow. Node looks at them too, but libuv (1.52) takes the outermost of several for the least, and
 * took less than one for none at all (nodejs/node#59200).
 */
function wholeProcessors(): number {
  return Math.max(1, Math.floor(cpuLimit() ?? Infinity));
}
