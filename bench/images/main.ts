/**
 * `npm run bench`: measures the images of the family, and peers in the same run, and writes the tables to RESULTS.md.
 * It makes containers and a network of its own and removes them, whatever happens.
 */
import { readFile, writeFile } from "node:fs/promises";
import { loadavg } from "node:os";
import { parseArgs } from "node:util";
import { replaceSection } from "../results.ts";
import { BenchEngine } from "./bench-engine.ts";
import { conditions } from "./conditions.ts";
import { measure } from "./measure.ts";
import { GIT_SERVER, NGINX_IMAGE, NODE_IMAGE, sidecars } from "./subjects.ts";

const RESULTS = new URL("../RESULTS.md", import.meta.url);
const help = `Measures the images of this clone with the docker engine that is there.

npm run bench              everything, six minutes or more, and writes bench/RESULTS.md
npm run bench -- --quick   few and short samples and no peers, about a minute and a half; writes nothing

  --quick   see above
  --write   writes bench/RESULTS.md after --quick as well
  --help    this text`;

const options = { quick: { type: "boolean" }, write: { type: "boolean" }, help: { type: "boolean" } } as const;

process.exitCode = await main();

async function main(): Promise<number> {
  const interrupted = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => interrupted.abort());
  const engine = new BenchEngine(interrupted.signal);
  try {
    const { quick = false, write = !quick, ...values } = parseArgs({ options }).values;
    if (values.help) return say(console.log, help);
    const problem = await whyNot(engine, quick);
    if (problem !== undefined) return say(console.error, `bench: ${problem}`, 1);
    const report = await withCleanup(engine, async () => {
      const load = loadavg()[0] ?? 0;
      const tables = await measure(engine, quick, (line) => console.error(`bench: ${line}`));
      return `${await conditions(engine, load, quick)}\n\n${tables}`;
    });
    console.log(report);
    if (write)
      await writeFile(RESULTS, replaceSection(await readFile(RESULTS, "utf8").catch(() => ""), "images", report));
    return 0;
  } catch (error) {
    if (interrupted.signal.aborted) return say(console.error, "bench: interrupted; everything is removed", 130);
    const misuse = String((error as NodeJS.ErrnoException).code).startsWith("ERR_PARSE_ARGS");
    const said = (error as { stderr?: string }).stderr?.trim() || (error as Error).message;
    return say(console.error, `bench: ${said}`, misuse ? 2 : 1);
  }
}

async function withCleanup<T>(engine: BenchEngine, work: () => Promise<T>): Promise<T> {
  try {
    await engine.prepare();
    return await work();
  } finally {
    await engine.clear();
  }
}

/** What is missing, or nothing. */
async function whyNot(engine: BenchEngine, quick: boolean): Promise<string | undefined> {
  if (process.platform !== "linux") return "it reads /proc of the containers' processes, so only Linux can run it";
  if (process.getuid?.() !== 0) return "it reads memory and sends signals to other users' processes; run it as root";
  try {
    await engine.docker("version");
  } catch (error) {
    const reason = (error as { stderr?: string }).stderr?.trim() || (error as Error).message;
    return `no docker engine answers (${reason}); install or start one`;
  }
  const wanted = [...sidecars.map(({ image }) => image), `pillion/${GIT_SERVER}`, ...(quick ? [] : [NODE_IMAGE])];
  const lacking: string[] = [];
  for (const image of wanted) if (!(await engine.has(image))) lacking.push(image);
  if (lacking.length > 0) return `there is no image ${lacking.join(", ")}; npm run images builds them`;
  if (!quick && !(await engine.has(NGINX_IMAGE))) await buildNginx(engine);
  return undefined;
}

/** Kept for the next run: `docker rmi pillion-bench/nginx` removes it. */
async function buildNginx(engine: BenchEngine): Promise<void> {
  console.error(`bench: building ${NGINX_IMAGE}, the peer`);
  await engine.docker("build", "--quiet", "--tag", NGINX_IMAGE, new URL("nginx", import.meta.url).pathname);
}

function say(write: (text: string) => void, text: string, code = 0): number {
  write(text);
  return code;
}
