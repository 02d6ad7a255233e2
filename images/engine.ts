import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BuildError } from "./build-error.ts";
import { engineFailure } from "./engine-failure.ts";
import { execute, lastLine } from "./execute.ts";
import type { Image } from "./images.ts";

export const engineNames: readonly string[] = ["docker", "podman", "buildah"];

/** Who sets DOCKER_HOST means Docker, and no other that happens to be there. */
const candidates = process.env["DOCKER_HOST"] ? ["docker"] : engineNames;

/** The one that is asked for, or the first that answers. @throws BuildError which says of each why not */
export async function findEngine(wanted: string | undefined): Promise<Engine> {
  const reasons: string[] = [];
  for (const program of wanted ? [wanted] : candidates) {
    const reason = await whyNot(program);
    if (reason === undefined) return new Engine(program, await hasClassicBuilder(program));
    reasons.push(`  ${program}: ${reason}`);
  }
  const remedy = "Install or start one; npm start shows the sidecars without any";
  throw new BuildError(`no container engine answers\n${reasons.join("\n")}\n${remedy}`);
}

async function whyNot(program: string): Promise<string | undefined> {
  try {
    const { code, stderr } = await execute(program, ["version"]);
    return code === 0 ? undefined : lastLine(stderr) || `ended with ${code}`;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return code === "ENOENT" ? "is not on the PATH" : `can't be started (${message})`;
  }
}

/** Docker's first builder, deprecated and still what a distribution's docker.io brings. */
async function hasClassicBuilder(program: string): Promise<boolean> {
  return program === "docker" && (await execute(program, ["buildx", "version"])).code !== 0;
}

interface BuildOptions {
  readonly buildArguments: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly cache: boolean;
  readonly verbose: boolean;
}

export class Engine {
  readonly program: string;
  readonly #classic: boolean;

  constructor(program: string, classic: boolean) {
    this.program = program;
    this.#classic = classic;
  }

  get title(): string {
    if (this.program !== "docker") return this.program;
    return `docker, ${this.#classic ? "classic builder" : "buildx"}`;
  }

  /**
   * Whether the stages that images share may be built anew for the first of them only. Buildah's cache takes files for the
   * same whatever their times are: the others would come to lie on a base of an earlier commit.
   */
  get remembersTimes(): boolean {
    return this.program === "docker";
  }

  /** Runs its command line. Resolves with what it wrote to stdout. @throws BuildError with the end of what it said */
  async run(args: readonly string[], { verbose = false } = {}): Promise<string> {
    const environment = this.#classic ? { DOCKER_BUILDKIT: "0" } : {};
    const { code, stdout, stderr } = await execute(this.program, args, { environment, show: verbose });
    if (code !== 0) throw engineFailure(`${this.program} ${args[0]}`, `${stdout}\n${stderr}`);
    return stdout.trim();
  }

  async has(image: string): Promise<boolean> {
    return (await this.inspect(image)) !== undefined;
  }

  /** Its id, and where it says that it comes from; undefined when there is no such image. */
  async inspect(image: string): Promise<{ readonly id: string; readonly source: string } | undefined> {
    const format = '{{.ID}}\n{{index .Config.Labels "org.opencontainers.image.source"}}';
    const { code, stdout } = await execute(this.program, ["inspect", "--type", "image", "--format", format, image]);
    const [id = "", source = ""] = stdout.trim().split("\n");
    return code === 0 ? { id, source } : undefined;
  }

  /** What a registry calls the bytes of an image; undefined for one that was made here. */
  async digest(image: string): Promise<string | undefined> {
    const { stdout } = await execute(this.program, [
      "inspect",
      "--type",
      "image",
      "--format",
      "{{.RepoDigests}}",
      image,
    ]);
    const name = image.replace(/:.*/, "");
    return new RegExp(`(?:\\[| |docker\\.io/library/)${name}@(sha256:[\\da-f]{64})`).exec(stdout)?.[1];
  }

  async tag(id: string, reference: string): Promise<void> {
    await this.run(["tag", id, reference]);
  }

  /** @returns the image's id; it has no tag */
  async build(image: Image, { buildArguments, labels, cache, verbose }: BuildOptions): Promise<string> {
    const directory = await mkdtemp(join(tmpdir(), "pillion-images-"));
    const idFile = join(directory, "id");
    try {
      const args = ["build", "--file", image.dockerfile, "--iidfile", idFile, ...this.#ownFlags()];
      if (image.target) {
        const given = Object.entries(buildArguments).flatMap(([name, value]) => ["--build-arg", `${name}=${value}`]);
        const labelled = Object.entries(labels).flatMap(([name, value]) => ["--label", `${name}=${value}`]);
        args.push("--target", image.target, ...given, ...labelled);
      }
      if (!cache) args.push("--no-cache");
      await this.run([...args, image.context], { verbose });
      return (await readFile(idFile, "utf8")).trim();
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  }

  #ownFlags(): string[] {
    if (this.#classic) return ["--force-rm"];
    if (this.program === "docker") return ["--load", "--provenance=false"];
    // HEALTHCHECK is not in OCI's format
    return ["--format", "docker"];
  }
}
