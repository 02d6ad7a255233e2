/**
 * `npm run bench:tls-proxy`: measures tls-proxy and peers in the same run, and writes the tables to RESULTS.md.
 * All that it starts and writes is its own, and gone at the end, whatever happens.
 */
import { readFile, writeFile } from "node:fs/promises";
import { replaceSection } from "../results.ts";
import { type Wanted, help, parseCommandLine } from "./command-line.ts";
import { measure } from "./efficiency.ts";
import { efficiencyTable } from "./report.ts";
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
  try {
    const report = await run(wanted);
    console.log(report);
    if (wanted.write) await writeFile(RESULTS, replaceSection(await readFile(RESULTS, "utf8"), "tls-proxy", report));
    return 0;
  } catch (error) {
    console.error(`bench: ${(error as Error).message}`);
    return 1;
  }
}

async function run(wanted: Wanted): Promise<string> {
  await using bed = await TestBed.make(wanted.cores);
  const tables: string[] = [];
  for (const workload of wanted.workloads) {
    const fitting = wanted.proxies.filter((proxy) => workload.proxies(proxy));
    const outcomes = await measure(bed, workload, fitting, wanted, (line) => console.error(`bench: ${line}`));
    tables.push(efficiencyTable(workload, outcomes));
  }
  return tables.join("\n\n");
}
