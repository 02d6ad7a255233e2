/**
 * `npm run images`: builds all images of the family, and those that the demo needs, with the engine that is there.
 * The tags move when every image is built: a build that fails leaves the ones from before.
 */
import { parseArgs } from "node:util";
import { describeFault } from "@pillion/kit";
import { NODE, provideBaseImages } from "./base-images.ts";
import { BuildError } from "./build-error.ts";
import { type Engine, engineNames, findEngine } from "./engine.ts";
import { type Image, images, isRepositoryName, versionOf } from "./images.ts";
import { type Revision, revision } from "./revision.ts";

const help = `Builds the container images of Pillion from this clone.

npm run images                     all of them
npm run images -- [options] NAME…  some: ${images.map(({ name }) => name).join(", ")}

  --prefix NAME   what their names begin with, such as registry.example.com/tools; default: pillion
  --engine NAME   ${engineNames.join(", ")}; default: the first that answers
  --pull          asks the registry for newer base images first
  --no-cache      builds every step anew
  --verbose       shows what the engine says
  --help          this text

Each image gets the tags latest and ${await versionOf()}.`;

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof BuildError)) throw error;
  console.error(`images: ${error.message}`);
  process.exitCode = error.exitCode;
}

async function main(argv: readonly string[]): Promise<number> {
  const { names, ...options } = parse(argv);
  if (options.help) {
    console.log(help);
    return 0;
  }
  const chosen = names.length === 0 ? images : images.filter(({ name }) => names.includes(name));
  const engine = await findEngine(options.engine);
  const from = await revision();
  console.log(`images: with ${engine.title}, from ${from.description}`);
  await provideBaseImages(engine, options.pull);
  await buildAll(engine, chosen, from, options);
  return 0;
}

function parse(argv: readonly string[]) {
  const table = {
    prefix: { type: "string", default: "pillion" },
    engine: { type: "string" },
    pull: { type: "boolean", default: false },
    "no-cache": { type: "boolean", default: false },
    verbose: { type: "boolean", default: false },
    help: { type: "boolean", short: "h", default: false },
  } as const;
  try {
    const { values, positionals } = parseArgs({ args: [...argv], options: table, allowPositionals: true });
    const unknown = positionals.find((name) => !images.some((image) => image.name === name));
    if (unknown) throw misuse(unknown, "no such image", `They are ${images.map(({ name }) => name).join(", ")}`);
    if (values.engine && !engineNames.includes(values.engine))
      throw misuse(`--engine ${values.engine}`, "no such engine", `They are ${engineNames.join(", ")}`);
    if (!isRepositoryName(values.prefix))
      throw misuse(
        `--prefix ${values.prefix}`,
        "not the name of a repository, which has small letters only",
        "It is such as registry.example.com/tools",
      );
    return { names: positionals, ...values };
  } catch (error) {
    if (error instanceof BuildError) throw error;
    throw new BuildError(`${(error as Error).message.split(". To ")[0]}. --help lists all options`, 2);
  }
}

function misuse(subject: string, reason: string, remedy: string): BuildError {
  return new BuildError(describeFault({ subject, reason, remedy }), 2);
}

async function buildAll(
  engine: Engine,
  chosen: readonly Image[],
  from: Revision,
  options: { readonly prefix: string; readonly "no-cache": boolean; readonly verbose: boolean },
): Promise<void> {
  const digest = await engine.digest(NODE);
  const built = new Map<string, string>();
  for (const [index, image] of chosen.entries()) {
    const began = performance.now();
    const id = await engine.build(image, {
      buildArguments: from.buildArguments,
      // not in the Dockerfile, as what never was in a registry has none; pause has nothing of this base
      labels: digest && image.name !== "pause" ? { "org.opencontainers.image.base.digest": digest } : {},
      cache: !options["no-cache"] || (engine.remembersTimes && image.context === chosen[index - 1]?.context),
      verbose: options.verbose,
    });
    const name = `${options.prefix}/${image.name}`;
    built.set(name, id);
    console.log(`images: ${name}  ${((performance.now() - began) / 1000).toFixed(1)} s`);
  }
  for (const [name, id] of built)
    for (const tag of ["latest", from.version]) await moveTag(engine, `${name}:${tag}`, id);
  console.log(`images: ${built.size} built, tagged latest and ${from.version}`);
}

/** A name may be somebody else's so far: they are told, as their image has none then. */
async function moveTag(engine: Engine, reference: string, id: string): Promise<void> {
  const before = await engine.inspect(reference);
  await engine.tag(id, reference);
  const after = await engine.inspect(reference);
  if (before && before.source !== after?.source)
    console.log(
      `images: ${reference} was an image that wasn't built from here; now it is this one. That was ${before.id}`,
    );
}
