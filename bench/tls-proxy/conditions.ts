import { execFile } from "node:child_process";
import { availableParallelism, cpus, loadavg, release } from "node:os";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import type { Wanted } from "./command-line.ts";

const programs: readonly (readonly [string, ...string[]])[] = [
  ["nginx", "-v"],
  ["haproxy", "-v"],
  ["hitch", "--version"],
  ["h2load", "--version"],
  ["openssl", "version"],
];
const MANIFEST = new URL("../package.json", import.meta.url);

/** When, where and how: what someone needs who wants to see the same figures. */
export async function conditions({ runs, seconds, cores }: Wanted, loadBefore: number): Promise<string> {
  const load = [loadBefore, loadavg()[0] ?? 0].map((each) => each.toFixed(1)).join(" before and ");
  const versions = [...(await Promise.all(programs.map(versionOf))), `Node ${process.version}`];
  // pinned to exact versions
  const { devDependencies } = JSON.parse(await readFile(MANIFEST, "utf8")) as {
    devDependencies: Record<string, string>;
  };
  const npm = Object.entries(devDependencies).map((pair) => pair.join(" "));
  return `\`npm run bench:tls-proxy${process.argv.slice(2).length > 0 ? ` -- ${process.argv.slice(2).join(" ")}` : ""}\` \
on ${new Date().toISOString().slice(0, 10)}: ${availableParallelism()} cores (${cpus()[0]?.model ?? "unknown"}), Linux ${release()}, \
load ${load} after; ${versions.join(", ")}; of npm ${npm.join(", ")}. The proxy has core ${cores[0]}, load and app core ${cores[1]}. \
${runs} rounds, in which all take turns, of ${seconds} s each; figures are the median, with the smallest and largest in brackets.`;
}

async function versionOf([program, flag]: readonly [string, ...string[]]): Promise<string> {
  try {
    const { stdout, stderr } = await promisify(execFile)(program, flag === undefined ? [] : [flag]);
    return `${program} ${/\d+\.\d+[\w.+-]*/.exec(stdout + stderr)?.[0] ?? "of unknown version"}`;
  } catch {
    return `no ${program}`;
  }
}
