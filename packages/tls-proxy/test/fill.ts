import type { Duplex } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";

const BLOCK = Buffer.alloc(1 << 20);
const AT_MOST = 512 << 20;

/** Writes a block again and again until nothing more gets through for half a second. @returns how many bytes did */
export async function fill(stream: Duplex, block: Buffer = BLOCK): Promise<number> {
  let through = 0;
  const write = () =>
    void stream.write(block, (error) => {
      through += block.length;
      if (!error && through < AT_MOST) write();
    });
  write();
  for (let before = -1; before !== through; await delay(500)) before = through;
  return through;
}
