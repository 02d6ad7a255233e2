import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BenchEngine } from "./bench-engine.ts";

/** Bytes. */
export interface Size {
  /** As a tar archive, which is the files and half a kilobyte for each. */
  readonly unpacked: number;
  /** By `gzip -6`. What a registry stores is up to who pushes: Docker 20.10 packs 3% worse than that. */
  readonly packed: number;
}

/** The sizes of images' layers, by digest, so that a layer that several share is one. */
export class Layers {
  readonly #engine: BenchEngine;
  readonly #sizes = new Map<string, Size>();

  constructor(engine: BenchEngine) {
    this.#engine = engine;
  }

  /** From the lowest up. */
  async of(image: string): Promise<string[]> {
    return JSON.parse(await this.#engine.docker("image", "inspect", "--format", "{{json .RootFS.Layers}}", image));
  }

  /** Of these layers, each counted once. @throws Error when one was not among the images that were weighed */
  size(digests: Iterable<string>): Size {
    let [unpacked, packed] = [0, 0];
    for (const digest of new Set(digests)) {
      const size = this.#sizes.get(digest);
      if (!size) throw new Error(`layer ${digest} was not weighed`);
      unpacked += size.unpacked;
      packed += size.packed;
    }
    return { unpacked, packed };
  }

  async weigh(image: string): Promise<void> {
    const digests = await this.of(image);
    if (digests.every((digest) => this.#sizes.has(digest))) return;
    const directory = await mkdtemp(join(tmpdir(), "pillion-bench-"));
    try {
      for (const [index, file] of (await this.#save(image, directory)).entries()) {
        const digest = digests[index] ?? "";
        if (!this.#sizes.has(digest)) this.#sizes.set(digest, await sizeOf(file));
      }
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  }

  /** @returns the layers' archives, in the order of their digests */
  async #save(image: string, directory: string): Promise<string[]> {
    const archive = join(directory, "image.tar");
    await this.#engine.docker("save", "--output", archive, image);
    await this.#engine.unpack(archive, directory);
    const [manifest] = JSON.parse(await readFile(join(directory, "manifest.json"), "utf8"));
    return manifest.Layers.map((layer: string) => join(directory, layer));
  }
}

/** By gzip itself: the zlib inside Node is another one, which packs worse. */
async function sizeOf(file: string): Promise<Size> {
  const gzip = spawn("gzip", ["-6", "--stdout", file], { stdio: ["ignore", "pipe", "inherit"] });
  let packed = 0;
  for await (const chunk of gzip.stdout as AsyncIterable<Buffer>) packed += chunk.length;
  return { unpacked: (await stat(file)).size, packed };
}
