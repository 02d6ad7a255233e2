import { execFile } from "node:child_process";
import { appendFile, mkdtemp, readFile, rm, statfs, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { docker } from "../drivers/engine.ts";
import { available, engine, program, root } from "./parts/available.ts";
import { makeCopyToBuild } from "./parts/copy-to-build.ts";
import { runImages } from "./parts/images-script.ts";
import { imagesOf } from "./parts/images-of.ts";
import { startSecondEngine } from "./parts/second-engine.ts";

const run = promisify(execFile);
const timeout = 240_000;
const startable = await available(root, program("dockerd", "install docker.io"));

describe.runIf(await available(engine))("npm run images", () => {
  test("shows the mistake in a source that can't be bundled; all tags stay what they were", { timeout }, async () => {
    await using copy = await makeCopyToBuild();
    await importEmpty(`${copy.prefix}/topz:latest`);
    const before = await imagesOf(copy.prefix);
    await appendFile(join(copy.directory, "packages/topz/src/cli.ts"), 'import "./nowhere.ts";\n');
    const { code, said } = await runImages([`--prefix=${copy.prefix}`, "topz"], copy);
    expect(said).toMatch(/Could not resolve "\.\/nowhere\.ts"/);
    expect(code).toBe(1);
    expect(await imagesOf(copy.prefix)).toEqual(before);
  });

  test("that fails at the last of two images moves no tag of the first, which was built", { timeout }, async () => {
    await using copy = await makeCopyToBuild();
    const dockerfile = join(copy.directory, "images/Dockerfile");
    const text = await readFile(dockerfile, "utf8");
    await writeFile(dockerfile, text.replace("FROM base AS config-sync\n", "$&COPY no-such-file /\n"));
    const { code, said } = await runImages([`--prefix=${copy.prefix}`, "topz", "config-sync"], copy);
    expect(said).toContain(`${copy.prefix}/topz  `);
    expect(said).toMatch(/no-such-file/);
    expect(code).toBe(1);
    expect(await imagesOf(copy.prefix)).toEqual({});
  });

  test("takes a name that is another image's, and says which that was", { timeout }, async () => {
    await using copy = await makeCopyToBuild();
    const other = await importEmpty(`${copy.prefix}/topz:latest`);
    const { code, said } = await runImages([`--prefix=${copy.prefix}`, "topz"], copy);
    expect(code, said).toBe(0);
    expect(said).toMatch(new RegExp(`${copy.prefix}/topz:latest was an image that wasn't built from here.*${other}`));
    expect(said.match(/wasn't built from here/g)).toHaveLength(1);
    const now = await imagesOf(copy.prefix);
    expect(Object.keys(now)).toHaveLength(2);
    expect(new Set(Object.values(now)).size).toBe(1);
    expect(Object.values(now)).not.toContain(other);
    expect(await docker("image", "inspect", "--format={{.ID}}", other)).toBe(other);
    await docker("rmi", other);
    // its own it moves without a word
    await appendFile(join(copy.directory, "packages/topz/src/cli.ts"), "// changed\n");
    expect((await runImages([`--prefix=${copy.prefix}`, "topz"], copy)).said).not.toMatch(/wasn't built from here/);
  });

  test.runIf(startable)(
    "says that the disk is full, keeps the old tags, and leaves no container",
    { timeout },
    async () => {
      await using second = await startSecondEngine("64m");
      const host = `--host=${second.host}`;
      // what they hold plays no part: the sources don't fit any more
      for (const name of ["debian:trixie-slim", "node:26-trixie-slim", "pillion/topz:latest"])
        await importEmpty(name, host);
      const before = await imagesOf("pillion", host);
      const { bavail, bsize } = await statfs(second.disk);
      await writeFile(join(second.disk, "ballast"), Buffer.alloc(bavail * bsize - 300_000));
      const args = ["--engine=docker", "topz"];
      const { code, said } = await runImages(args, { environment: { DOCKER_HOST: second.host } });
      expect(said).toMatch(/docker build: the disk is full\. Make room, for instance with `docker system prune`/);
      expect(said).not.toMatch(/^\s+at /m);
      expect(code).toBe(1);
      expect(await imagesOf("pillion", host)).toEqual(before);
      expect(await second.docker("ps", "--all", "--quiet")).toBe("");
    },
  );
});

/** Makes an image of nothing under a name. @returns its id */
async function importEmpty(name: string, ...host: readonly string[]): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "pillion-e2e-"));
  try {
    const archive = join(directory, "nothing.tar");
    // each is another image
    await writeFile(join(directory, "name"), `${directory} ${name}`);
    await run("tar", ["--create", `--file=${archive}`, `--directory=${directory}`, "name"]);
    return await docker(...host, "import", archive, name);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
