import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from "node:fs/promises";
import { X509Certificate } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Authority, makeAuthority } from "../certificates/pki.ts";
import { startCommand } from "../start-command.ts";
import { startLoadApp } from "./load-app.ts";
import { Load } from "./load.ts";

let directory: string;
let root: Authority;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "tls-proxy-swap-"));
  root = await makeAuthority("root");
});
afterEach(() => rm(directory, { recursive: true }));

/** Puts another certificate in place in one step, as Kubernetes does. @returns its serial number */
async function swap(version: number): Promise<string> {
  const at = (...names: readonly string[]) => join(directory, ...names);
  const { cert, key } = await root.issue({ names: ["localhost"] });
  await mkdir(at(`..${version}`));
  await writeFile(at(`..${version}`, "tls.crt"), cert);
  await writeFile(at(`..${version}`, "tls.key"), key);
  await symlink(`..${version}`, at("..next"));
  await rename(at("..next"), at("..data"));
  return new X509Certificate(cert).serialNumber;
}

test("certificates swapped under load: no request fails, and once the new one was met nobody meets the old one", async () => {
  await using app = await startLoadApp();
  let current = await swap(0);
  for (const name of ["tls.crt", "tls.key"]) await symlink(join("..data", name), join(directory, name));
  await using proxy = await startCommand(app.address, ["--cert-dir", directory]);
  const target = () => ({ port: proxy.port, ca: root.ca });
  await using kept = new Load(target, { clients: 15, length: 20_000, keepAlive: true });

  let met = { serial: current, since: 0, isNew: Promise.withResolvers<void>() };
  const old: string[] = [];
  await using fresh = new Load(target, {
    clients: 15,
    length: 20_000,
    keepAlive: false,
    onGot({ serial = "" }, began) {
      if (serial === current && met.serial !== current) {
        met = { ...met, serial, since: performance.now() };
        met.isNew.resolve();
      } else if (serial !== current && met.serial === current && began > met.since) old.push(serial);
    },
  });
  await Promise.all([fresh.gets(50), kept.gets(50)]);
  for (let version = 1; version <= 3; version++) {
    met.isNew = Promise.withResolvers();
    current = await swap(version);
    await met.isNew.promise;
    await Promise.all([fresh.gets(50), kept.gets(50)]);
  }
  await Promise.all([fresh.stop(), kept.stop()]);
  console.log(`kept connections: ${kept.summary()}; new ones: ${fresh.summary()}`);
  expect([...kept.unserved, ...fresh.unserved]).toEqual([]);
  expect(kept.repeated + fresh.repeated).toBe(0);
  expect(old).toEqual([]);
});
