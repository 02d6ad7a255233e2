import { availableParallelism, loadavg, release } from "node:os";
import type { BenchEngine } from "./bench-engine.ts";
import { NODE_IMAGE } from "./subjects.ts";

/** When, where and how: what someone needs who wants to see the same figures. */
export async function conditions(engine: BenchEngine, loadBefore: number, quick: boolean): Promise<string> {
  const version = await engine.docker("version", "--format", "{{.Server.Version}}");
  const storage = await engine.docker("info", "--format", "{{.Driver}}, cgroup v{{.CgroupVersion}}");
  const load = [loadBefore, loadavg()[0] ?? 0].map((each) => each.toFixed(1)).join(" before and ");
  return `\`npm run bench${quick ? " -- --quick" : ""}\` on ${new Date().toISOString().slice(0, 10)}: ${availableParallelism()} cores, \
Linux ${release()}, Docker ${version} (${storage}), load ${load} after${await standIn(engine)}. \
MB are 10⁶ bytes. Times are the median, with the smallest and largest in brackets. \
All containers are read-only, without capabilities, with no-new-privileges, as user 65532.`;
}

/** Where no registry can be reached, `npm run images` makes an image of the same name: a different size. */
async function standIn(engine: BenchEngine): Promise<string> {
  if (!(await engine.has(NODE_IMAGE))) return "";
  const digests = await engine.docker("image", "inspect", "--format", "{{len .RepoDigests}}", NODE_IMAGE);
  return digests === "0" ? `; ${NODE_IMAGE} is a stand-in made of Debian's packages, not the published image` : "";
}
