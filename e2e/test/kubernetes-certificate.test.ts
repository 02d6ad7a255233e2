import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { access, mkdir, mkdtempDisposable, rename, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "node:tls";
import { fileURLToPath } from "node:url";
import { spawnScript } from "@pillion/kit/testing";
import { expect, test } from "vitest";
import { containersOf, readPod } from "./kubernetes-manifests.ts";

const bin = fileURLToPath(new URL("../../packages/tls-proxy/bin/tls-proxy.js", import.meta.url));

test("certificate.yaml mounts the Secret whole, where its tls-proxy looks, and for nobody else", async () => {
  const { spec } = await readPod("certificate.yaml");
  const secrets = spec?.volumes?.filter(({ secret }) => secret).map(({ name }) => name);
  const mounts = containersOf(spec).flatMap(({ name: container, volumeMounts = [] }) =>
    volumeMounts
      .filter(({ name }) => secrets?.includes(name))
      .map(({ name: _, ...mount }) => ({ container, ...mount })),
  );
  expect(mounts).toEqual([{ container: "tls-proxy", mountPath: "/certs", readOnly: true }]);
  expect(await flags()).toContain("--cert-dir=/certs");
});

test("its tls-proxy takes up a Secret that a kubelet replaces, and needs no place to write", async () => {
  await using directory = await mkdtempDisposable(join(tmpdir(), "pillion-certificate-"));
  const certificates = join(directory.path, "certs");
  await mkdir(certificates);
  for (const name of ["tls.crt", "tls.key"]) await symlink(`..data/${name}`, join(certificates, name));
  await publish(certificates, "first.example.com");
  const state = join(directory.path, "data");
  const moved = (await flags()).map((flag) =>
    flag.replace("=/certs", `=${certificates}`).replace(/=:\d+$/, "=127.0.0.1:0"),
  );
  const admin = "--admin-listen=127.0.0.1:0";
  await using proxy = spawnScript(bin, [...moved, admin], { TLS_PROXY_STATE_DIR: state }); // as the image has it
  const [line] = await proxy.says(/^.*"msg":"started".*$/m);
  const { https = "", health = "" } = JSON.parse(line) as Record<string, string>;
  expect(await served(https)).toBe("first.example.com");
  await publish(certificates, "second.example.com");
  await expect.poll(() => served(https), { timeout: 10_000 }).toBe("second.example.com");
  expect(await (await fetch(`http://${health}/readyz`)).text()).toBe("ready\n");
  await expect(access(state)).rejects.toThrow("ENOENT");
});

async function flags(): Promise<readonly string[]> {
  const { spec } = await readPod("certificate.yaml");
  return containersOf(spec).find(({ name }) => name === "tls-proxy")?.args ?? [];
}

/** A new version in a directory of its own, then the link to it in one step, as Kubernetes' AtomicWriter does it. */
async function publish(directory: string, name: string): Promise<void> {
  const version = join(directory, `..${name}`);
  await mkdir(version);
  const [cert, key] = [join(version, "tls.crt"), join(version, "tls.key")];
  const kind = ["-days", "2", "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"];
  const subject = ["-subj", `/CN=${name}`, "-addext", `subjectAltName=DNS:${name}`];
  execFileSync("openssl", ["req", "-x509", ...subject, ...kind, "-keyout", key, "-out", cert], { stdio: "ignore" });
  await symlink(`..${name}`, join(directory, "..data_tmp"));
  await rename(join(directory, "..data_tmp"), join(directory, "..data"));
}

/** The common name of the certificate that a client gets. */
async function served(address: string): Promise<string | undefined> {
  const socket = connect({ host: "127.0.0.1", port: Number(address.split(":").at(-1)), rejectUnauthorized: false });
  await once(socket, "secureConnect");
  const { subject } = socket.getPeerCertificate();
  socket.destroy();
  return String(subject.CN);
}
