import { mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { available, engine, program, root } from "./parts/available.ts";
import { runImages } from "./parts/images-script.ts";
import { startSecondEngine } from "./parts/second-engine.ts";

const startable = await available(root, program("dockerd", "install docker.io"));
let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "pillion-e2e-"));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

test("no engine on the PATH: each is named, and what runs without one", async () => {
  const { code, said } = await runImages([], { environment: { PATH: directory } });
  expect(said).toMatch(/no container engine answers/);
  for (const name of ["docker", "podman", "buildah"]) expect(said).toContain(`${name}: is not on the PATH`);
  expect(said).toMatch(/Install or start one; npm start shows the sidecars without any/);
  expect(code).toBe(1);
});

describe.runIf(await available(engine))("with docker's client", () => {
  test("an engine that doesn't run: the client's own words and the socket's name", async () => {
    const socket = join(directory, "docker.sock");
    const { code, said } = await runImages(["--engine=docker"], { environment: { DOCKER_HOST: `unix://${socket}` } });
    expect(said).toMatch(/^images: no container engine answers\n {2}docker: .*docker/i);
    expect(said).toContain(socket);
    expect(said).not.toMatch(/^\s+at /m);
    expect(code).toBe(1);
  });

  test.runIf(startable)(
    "no registry, and nothing to make base images with: the image, the reason, the remedies",
    async () => {
      await using second = await startSecondEngine("100m");
      const docker = (await promisify(execFile)("which", ["docker"])).stdout.trim();
      await symlink(docker, join(directory, "docker"));
      const { code, said } = await runImages([], { environment: { PATH: directory, DOCKER_HOST: second.host } });
      expect(said).toMatch(/debian:trixie-slim is not there and can't be pulled \(.*(?:registry|connect|proxy).*\)/);
      expect(said).toMatch(/install mmdebstrap/);
      expect(said).not.toMatch(/^\s+at /m);
      expect(code).toBe(1);
      expect(await second.docker("images", "--all", "--quiet")).toBe("");
    },
  );
});
