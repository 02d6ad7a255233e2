/**
 * `npm run bench:tls-proxy`: measures tls-proxy and peers in the same run, and writes the tables to RESULTS.md.
 * All that it starts and writes is its own, and gone at the end, whatever happens.
 */
import { readFile, writeFile } from "node:fs/promises";
import { loadavg } from "node:os";
import { replaceSection } from "../results.ts";
import { type Wanted, help, parseCommandLine } from "./command-line.ts";
import { conditions } from "./conditions.ts";
import { TestBed } from "./test-bed.ts";

const RESULTS = new URL("../RESULTS.md", import.meta.url);

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  let wanted: Wanted;
  try {
    wanted = parseCommandLine(args);
  } catch (error) {
    console.error(`bench: ${(error as Error).message}`);
    return 2;
  }
  if (wanted.help) {
    console.log(help);
    return 0;
  }
  const interrupted = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => interrupted.abort());
  try {
    const report = await run(wanted, interrupted.signal);
    if (wanted.write) await writeFile(RESULTS, replaceSection(await readFile(RESULTS, "utf8"), "tls-proxy", report));
    return 0;
  } catch (error) {
    const stopped = interrupted.signal.aborted;
    console.error(`bench: ${stopped ? "interrupted; everything is removed" : (error as Error).message}`);
    return stopped ? 130 : 1;
  }
}

async function run(wanted: Wanted, signal: AbortSignal): Promise<string> {
  const before = loadavg()[0] ?? 0;
  await using bed = await TestBed.make(wanted.cores, signal);
  const tables: string[] = [];
  for (const measurement of wanted.measurements) {
    const proxies = wanted.proxies.filter((proxy) => measurement.isFor(proxy));
    if (proxies.length === 0) continue;
    const table = await measurement.run(bed, proxies, wanted, (line) => console.error(`bench: ${line}`));
    console.log(`${table}\n`);
    tables.push(table);
  }
  const circumstances = await conditions(wanted, before);
  console.log(circumstances);
  return [circumstances, ...tables].join("\n\n");
}
