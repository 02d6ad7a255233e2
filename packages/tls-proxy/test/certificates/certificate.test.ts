import { execFile } from "node:child_process";
import { copyFile, mkdir, mkdtemp, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { promisify } from "node:util";
import { PillionError } from "@pillion/kit";
import { afterAll, beforeAll, expect, test } from "vitest";
import { loadCertificatePair, validityProblem } from "../../src/certificates/certificate.ts";

const run = promisify(execFile);
let directory: string;
const path = (name: string) => join(directory, name);
const openssl = (...words: string[]) => run("openssl", words, { cwd: directory });

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "tls-proxy-pem-"));
  const make = (name: string, ...key: string[]) =>
    openssl(
      "req",
      "-x509",
      ...key,
      "-nodes",
      "-subj",
      `/O=Test/CN=${name}`,
      "-days",
      "2",
      "-keyout",
      `${name}.key`,
      "-out",
      `${name}.pem`,
    );
  const ec = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"];
  await make("good", ...ec);
  await make("other", ...ec);
  await make("weak", "-newkey", "rsa:1024");
  await make("koblitz", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:secp256k1");
  await make("brainpool", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:brainpoolP256r1");
  await openssl("pkcs8", "-topk8", "-in", "good.key", "-passout", "pass:hunter2", "-out", "encrypted.key");
  await openssl("ec", "-in", "good.key", "-aes256", "-passout", "pass:hunter2", "-out", "legacy-encrypted.key");
  await openssl("x509", "-in", "good.pem", "-outform", "der", "-out", "good.der");
  await openssl("pkey", "-in", "good.key", "-outform", "der", "-out", "good-key.der");
  await openssl("ec", "-in", "good.key", "-outform", "der", "-out", "good-ec-key.der");
  await writeFile(path("empty"), "");
  await writeFile(path("damaged.pem"), "-----BEGIN CERTIFICATE-----\nTUlJ\n-----END CERTIFICATE-----\n");
  await writeFile(path("damaged.key"), "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n");
});
afterAll(() => rm(directory, { recursive: true }));

test("a good pair is loaded, with what a log line needs", async () => {
  const pair = await loadCertificatePair(path("good.pem"), path("good.key"));
  const { stdout } = await openssl("x509", "-in", "good.pem", "-noout", "-fingerprint", "-sha256");
  expect(stdout).toContain(pair.fingerprint);
  expect(pair.subject).toBe("O=Test, CN=good");
  expect(validityProblem(pair, new Date())).toBeUndefined();
});

test.each([
  [
    "a file that isn't there",
    "none.pem",
    "good.key",
    "CERTIFICATE_UNREADABLE",
    /--cert ".*none.pem": can't be read \(ENOENT\)\. Check/,
  ],
  ["a directory", ".", "good.key", "CERTIFICATE_UNREADABLE", /EISDIR/],
  ["a key that isn't there", "good.pem", "none.key", "CERTIFICATE_KEY_UNREADABLE", /--key ".*none.key": can't be read/],
  ["an empty file", "empty", "good.key", "CERTIFICATE_UNPARSABLE", /holds no PEM certificate\. Give/],
  ["DER", "good.der", "good.key", "CERTIFICATE_UNPARSABLE", /is DER, not PEM\. Convert it: openssl x509/],
  ["a damaged certificate", "damaged.pem", "good.key", "CERTIFICATE_UNPARSABLE", /damaged\. Copy/],
  [
    "both swapped",
    "good.key",
    "good.pem",
    "CERTIFICATE_UNPARSABLE",
    /holds a private key .* Were certificate and key swapped\?/,
  ],
  [
    "a certificate as the key",
    "good.pem",
    "good.pem",
    "CERTIFICATE_KEY_UNPARSABLE",
    /holds a certificate .* swapped\?/,
  ],
  [
    "a key in DER",
    "good.pem",
    "good-key.der",
    "CERTIFICATE_KEY_UNPARSABLE",
    /is DER, not PEM\. Convert it: openssl pkey/,
  ],
  ["an older form of it", "good.pem", "good-ec-key.der", "CERTIFICATE_KEY_UNPARSABLE", /is DER, not PEM/],
  ["an empty key", "good.pem", "empty", "CERTIFICATE_KEY_UNPARSABLE", /holds no PEM private key/],
  ["a damaged key", "good.pem", "damaged.key", "CERTIFICATE_KEY_UNPARSABLE", /damaged\. Copy/],
  [
    "an encrypted key",
    "good.pem",
    "encrypted.key",
    "CERTIFICATE_KEY_ENCRYPTED",
    /passphrase\. Decrypt it \(openssl pkey/,
  ],
  ["an encrypted key of the old form", "good.pem", "legacy-encrypted.key", "CERTIFICATE_KEY_ENCRYPTED", /passphrase/],
  [
    "the key of another",
    "good.pem",
    "other.key",
    "CERTIFICATE_KEY_MISMATCH",
    /does not belong to .*good.pem \(O=Test, CN=good\)\. Give/,
  ],
  [
    "a key that is too small",
    "weak.pem",
    "weak.key",
    "CERTIFICATE_REFUSED",
    /OpenSSL refuses it\. Use a key of at least 2048/,
  ],
  ["a rare curve", "koblitz.pem", "koblitz.key", "CERTIFICATE_REFUSED", /kind secp256k1, .*\. Use a key on P-256/],
  ["another rare curve", "brainpool.pem", "brainpool.key", "CERTIFICATE_REFUSED", /kind brainpoolP256r1/],
])("%s is refused with one clear message", async (_name, cert, key, code, message) => {
  const error = await loadCertificatePair(path(cert), path(key)).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(PillionError);
  expect(error).toMatchObject({ code, message: expect.stringMatching(message) });
  expect(String((error as Error).stack)).not.toMatch(/c2VjcmV0|BEGIN|hunter2/);
});

test("dates are a matter of degree: expired and not yet valid are said, not refused", async () => {
  const pair = await loadCertificatePair(path("good.pem"), path("good.key"));
  const day = 86_400_000;
  expect(validityProblem(pair, new Date(Date.now() + 3 * day))?.message).toMatch(
    /expired at .*Z and is served all the same: .*\. Put/,
  );
  expect(validityProblem(pair, new Date(Date.now() - day))?.message).toMatch(/not valid before .*Z .*clock/);
});

test("a pair is never put together of two versions while it is swapped", async () => {
  for (const name of ["good", "other"]) {
    await mkdir(path(`..${name}`));
    await copyFile(path(`${name}.pem`), path(`..${name}/tls.crt`));
    await copyFile(path(`${name}.key`), path(`..${name}/tls.key`));
  }
  await symlink("..good", path("..data"));
  const done = new AbortController();
  const swapping = (async () => {
    for (let swap = 0; !done.signal.aborted; swap++) {
      await symlink(swap % 2 === 0 ? "..other" : "..good", path("..next"));
      await rename(path("..next"), path("..data"));
      await setTimeout(2);
    }
  })();
  for (let load = 0; load < 300; load++) await loadCertificatePair(path("..data/tls.crt"), path("..data/tls.key"));
  done.abort();
  await expect(swapping).resolves.toBeUndefined();
});
