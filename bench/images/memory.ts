import { readFile } from "node:fs/promises";

/** Bytes. */
export interface Memory {
  readonly resident: number;
  /** Pages that several processes map count by their share. */
  readonly proportional: number;
  /** What nobody else maps: what one more container costs where its base is mapped already. */
  readonly private: number;
}

/** All processes together. @throws when one is gone, or belongs to somebody else and this process isn't root */
export async function memoryOf(pids: readonly number[]): Promise<Memory> {
  const texts = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/smaps_rollup`, "latin1")));
  return sum(texts.map((text) => parseSmapsRollup(text)));
}

export function sum(all: readonly Memory[]): Memory {
  const add = (name: keyof Memory) => all.reduce((total, each) => total + each[name], 0);
  return { resident: add("resident"), proportional: add("proportional"), private: add("private") };
}

/** Documentation/ABI/testing/procfs-smaps_rollup in the kernel's sources. @throws when a field is missing */
export function parseSmapsRollup(text: string): Memory {
  const bytes = (field: string) => {
    const kibibytes = new RegExp(`^${field}: +(\\d+) kB$`, "m").exec(text)?.[1];
    if (kibibytes === undefined) throw new Error(`smaps_rollup has no ${field}: ${text}`);
    return Number(kibibytes) * 1024;
  };
  return {
    resident: bytes("Rss"),
    proportional: bytes("Pss"),
    private: bytes("Private_Clean") + bytes("Private_Dirty"),
  };
}
