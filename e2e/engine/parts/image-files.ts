import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { docker } from "../../drivers/engine.ts";

const run = promisify(execFile);

export interface ImageFile {
  readonly path: string;
  /** As `ls -l` writes it: `-rwxr-xr-x`. */
  readonly mode: string;
  /** Numbers: `65532/0`. */
  readonly owner: string;
  readonly size: number;
  /** ISO 8601, whole seconds. */
  readonly modified: string;
  readonly linksTo: string | undefined;
  /** Of what is in a regular file. */
  readonly sha256: string | undefined;
}

/** The files of each layer of images, lowest layer first, by the image's name. */
export async function filesOf(...images: readonly string[]): Promise<Record<string, ImageFile[][]>> {
  const directory = await mkdtemp(join(tmpdir(), "pillion-e2e-"));
  try {
    const archive = join(directory, "images.tar");
    await docker("save", `--output=${archive}`, ...images);
    await tar("--extract", `--file=${archive}`, `--directory=${directory}`);
    const manifest = JSON.parse(await readFile(join(directory, "manifest.json"), "utf8")) as SavedImage[];
    const layers = new Map<string, ImageFile[]>();
    for (const path of new Set(manifest.flatMap(({ Layers }) => Layers)))
      layers.set(path, await filesIn(join(directory, path)));
    const named = images.map((name) => manifest.find(({ RepoTags }) => RepoTags?.includes(tagged(name))));
    return Object.fromEntries(
      images.map((name, index) => [name, named[index]?.Layers.map((path) => layers.get(path) ?? []) ?? []]),
    );
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** An entry of manifest.json in what `docker save` writes. */
interface SavedImage {
  readonly RepoTags: readonly string[] | null;
  readonly Layers: readonly string[];
}

function tagged(name: string): string {
  return /:[^/]*$/.test(name) ? name : `${name}:latest`;
}

const LINE = /^(\S+) (\d+\/\d+) +(\d+) (\S+) (\S+) (.*?)(?: (?:->|link to) (.*))?$/;

async function filesIn(layer: string): Promise<ImageFile[]> {
  const [list, sums] = await Promise.all([
    tar("--list", "--verbose", "--numeric-owner", "--full-time", `--file=${layer}`),
    tar("--extract", "--to-command=echo $(sha256sum) $TAR_FILENAME", `--file=${layer}`),
  ]);
  const sha256 = new Map(lines(sums).map((line) => [line.slice(line.indexOf(" - ") + 3), line.split(" ")[0]]));
  return lines(list).map((line) => {
    const [, mode = "", owner = "", size, date, time, path = "", linksTo] = LINE.exec(line) ?? [];
    return { path, mode, owner, size: Number(size), modified: `${date}T${time}Z`, linksTo, sha256: sha256.get(path) };
  });
}

function lines(text: string): string[] {
  return text.split("\n").filter(Boolean);
}

async function tar(...args: readonly string[]): Promise<string> {
  const env = { ...process.env, TZ: "UTC", LC_ALL: "C" };
  return (await run("tar", args, { env, maxBuffer: 2 ** 26 })).stdout;
}
