import { execFile } from "node:child_process";
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { LABEL, containerLog, docker, removeContainers } from "../drivers/engine.ts";
import { appImage } from "../drivers/images.ts";
import { makeRepository } from "../scenarios/parts/repository.ts";
import { available, images, root } from "./parts/available.ts";

const USER = 65_532;
const PORT = 2222;
const run = promisify(execFile);

/** sshd as an ordinary user lets only that user in. */
const configuration = `Port ${PORT}
HostKey /srv/git/host_key
AuthorizedKeysFile /srv/git/key.pub
PidFile none
StrictModes no
UsePAM no
`;

describe.runIf(await available(images, root))("repo-updater's image with a repository over ssh", () => {
  let directory: string;
  let server: string;
  const started: string[] = [];

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "pillion-e2e-"));
    await chmod(directory, 0o755);
    await makeRepository(directory, join(import.meta.dirname, "../../examples/legacy-app/site"));
    for (const name of ["host_key", "key"])
      await run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", join(directory, name)]);
    await writeFile(join(directory, "sshd_config"), configuration);
    const host = (await readFile(join(directory, "host_key.pub"), "utf8")).split(" ").slice(0, 2).join(" ");
    await writeFile(join(directory, "known_hosts"), `[127.0.0.1]:${PORT} ${host}\n`);
    await run("chown", ["--recursive", `${USER}:${USER}`, directory]);
    const sshd = [...(await appImage("sshd")), "-D", "-e", "-f", "/srv/git/sshd_config"];
    server = await runDetached(`--user=${USER}`, `--volume=${directory}:/srv/git`, ...sshd);
  }, 120_000);
  afterAll(async () => {
    await removeContainers(started);
    await rm(directory, { recursive: true, force: true });
  });

  const known = () => [`--volume=${directory}/known_hosts:/etc/ssh/ssh_known_hosts:ro`];
  const key = () => [`--volume=${directory}/key:/tmp/.ssh/id_ed25519:ro`];

  test("publishes, given the server's key and its own", async () => {
    const { code, log } = await once([...known(), ...key()]);
    expect(log).toContain('"msg":"published"');
    expect(code).toBe(0);
  });

  test("refuses a server whose key it doesn't know, and says where it looks", async () => {
    const { code, log } = await once(key());
    expect(log).toMatch(/REPOSITORY_UNTRUSTED.*ssh_known_hosts/);
    expect(code).toBe(1);
  });

  test("says so when it may not log in", async () => {
    expect((await once(known())).log).toContain("REPOSITORY_ACCESS_DENIED");
  });

  test("says that ssh doesn't run for a user without an entry in /etc/passwd", async () => {
    expect((await once([...known(), "--user=31337"])).log).toMatch(/ssh doesn't run for a user.*65532/);
  });

  async function runDetached(...args: readonly string[]): Promise<string> {
    const container = await docker("run", "--detach", `--label=${LABEL}=${process.pid}`, ...args);
    started.push(container);
    return container;
  }

  /** One round in the server's network. */
  async function once(flags: readonly string[]): Promise<{ readonly code: number; readonly log: string }> {
    const repository = `ssh://git@127.0.0.1:${PORT}/srv/git/website.git`;
    const network = `--network=container:${server}`;
    const container = await runDetached(network, ...flags, "pillion/repo-updater", "--once", `--repo=${repository}`);
    const code = Number(await docker("wait", container));
    return { code, log: await containerLog(container) };
  }
});
