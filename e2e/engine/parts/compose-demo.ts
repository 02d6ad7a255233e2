import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { docker } from "../../drivers/engine.ts";
import { freePorts } from "../../drivers/free-ports.ts";
import { type Answer, ask } from "../../scenarios/parts/ask.ts";
import type { Row } from "../../scenarios/parts/processes.ts";
import { repository } from "../../test/working-copy.ts";
import type { Compose } from "./compose.ts";

export const services = ["pod", "app", "tls-proxy", "topz", "repo-updater", "config-sync", "git-server"] as const;
type Service = (typeof services)[number];

/** docker-compose.yml under a project name, ports and a configuration of its own. Disposal takes it down. */
export interface ComposeDemo extends AsyncDisposable {
  readonly project: string;
  readonly ports: { readonly https: number; readonly topz: number; readonly git: number };
  /** A directory of the test's own; `config` in it is the app's configuration. */
  readonly directory: string;
  compose(...args: readonly string[]): Promise<string>;
  /** The id of a service's container. */
  container(service: Service): Promise<string>;
  /** Asks the app through HTTPS; the certificate has to be for `localhost` and from the CA in the proxy's container. */
  askHttps(path: string): Promise<Answer>;
  /** A line of the app's `/status`; nothing while there is no answer. */
  status(name: string): Promise<string | undefined>;
  /** What topz shows. */
  processes(): Promise<readonly Row[]>;
  /** Edits app.xml, as a person would. */
  configure(edit: (text: string) => string): Promise<void>;
}

/** Nothing runs yet. `images` is what the names of the images begin with. */
export async function prepareDemo(compose: Compose, images = "pillion"): Promise<ComposeDemo> {
  const directory = await mkdtemp(join(tmpdir(), "pillion-e2e-"));
  const config = join(directory, "config");
  await cp(join(repository, "examples/legacy-app/config"), config, { recursive: true });
  const [https = 0, topz = 0, git = 0] = await freePorts(3);
  const project = `pillion-e2e-${https}`;
  const environment = {
    PILLION_IMAGES: images,
    PILLION_CONFIG: config,
    PILLION_HTTPS_PORT: `${https}`,
    PILLION_TOPZ_PORT: `${topz}`,
    PILLION_GIT_PORT: `${git}`,
  };
  const run = (...args: readonly string[]) => compose.run(["--project-name", project, ...args], environment);
  const container = async (service: Service) => {
    const labels = [`project=${project}`, `service=${service}`].map(
      (each) => `--filter=label=com.docker.compose.${each}`,
    );
    return await docker("ps", "--all", "--quiet", "--no-trunc", ...labels);
  };
  const askHttps = async (path: string) => {
    const ca = await fetchCa(await container("tls-proxy"), directory);
    return await ask(`https://localhost:${https}${path}`, { ca });
  };
  return {
    project,
    ports: { https, topz, git },
    directory,
    compose: run,
    container,
    askHttps,
    async status(name) {
      const answer = await askHttps("/status").catch(() => undefined);
      return new RegExp(`^${name}: (.*)$`, "m").exec(answer?.text ?? "")?.[1];
    },
    async processes() {
      const answer = await ask(`http://127.0.0.1:${topz}/api/v1/processes?limit=10000`);
      return (JSON.parse(answer.text) as { readonly processes: readonly Row[] }).processes;
    },
    async configure(edit) {
      const file = join(config, "app.xml");
      await writeFile(file, edit(await readFile(file, "utf8")));
    },
    async [Symbol.asyncDispose]() {
      await run("down", "--volumes", "--remove-orphans", "--timeout=2");
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function fetchCa(container: string, directory: string): Promise<Buffer> {
  const file = join(directory, "ca.pem");
  await docker("cp", `${container}:/data/development-ca/ca.pem`, file);
  return await readFile(file);
}

/** The containers, volumes and networks that there are of a project. */
export async function remains(project: string): Promise<string[]> {
  const label = `--filter=label=com.docker.compose.project=${project}`;
  const lists = [
    ["ps", "--all"],
    ["volume", "ls"],
    ["network", "ls"],
  ].map((list) => docker(...list, "--quiet", label));
  return (await Promise.all(lists)).flatMap((ids) => ids.split("\n").filter(Boolean));
}
