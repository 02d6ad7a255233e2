import type { X509Certificate } from "node:crypto";
import { join } from "node:path";
import { createFileOnce, replaceFile, systemCode } from "@pillion/kit";
import { checkCertificatePair, type CertificatePair } from "./certificate.ts";
import {
  certificateOf,
  issueLeaf,
  keyOf,
  makeDevelopmentCa,
  mayIssueFor,
  namesOf,
  parsePair,
  type PemPair,
} from "./development-ca.ts";
import { errors } from "../errors.ts";
import { canonicalHostName, LOCAL_NAMES } from "./host-names.ts";
import { privateDirectory, readIfPresent, stateDirectory } from "./state-files.ts";

export interface DevelopmentCertificate {
  readonly pair: CertificatePair;
  readonly ca: {
    /** Where the CA's certificate is, for `curl --cacert` and trust stores; this package writes to none. */
    readonly path: string;
    /** SHA-256 of the CA's certificate. */
    readonly fingerprint: string;
    /** Made just now: whoever trusted an earlier one has to trust this one. */
    readonly made: boolean;
    /** Why an earlier one wasn't kept, if there was one. */
    readonly flaw?: string | undefined;
  };
}

type Origin = Pick<DevelopmentCertificate["ca"], "made" | "flaw">;

/**
 * The development certificate of a state directory. The CA is made once and kept; the leaf is renewed when a third of
 * its life is left or when the names change. A name that the CA's constraints don't permit takes a new CA.
 * @param hostNames served besides localhost, 127.0.0.1 and ::1; checked before with `hostNameProblem`
 * @throws STATE_DIRECTORY_NOT_WRITABLE
 */
export async function developmentCertificate(
  stateDir: string,
  hostNames: readonly string[],
  now: Date,
): Promise<DevelopmentCertificate> {
  const names = [...new Set([...LOCAL_NAMES, ...hostNames].map(canonicalHostName))];
  const directory = join(stateDir, "development-ca");
  try {
    await stateDirectory(stateDir);
    await privateDirectory(directory);
    const { ca, ...origin } = await authority(directory, names, now);
    const leaf = await serverLeaf(directory, ca, names, now);
    return await describe(directory, ca, leaf, origin);
  } catch (cause) {
    const code = systemCode(cause);
    if (code === undefined || !(cause instanceof Error && "syscall" in cause)) throw cause;
    const remedy = "Give a directory that this user may write to, or a certificate with --cert and --key";
    throw errors.STATE_DIRECTORY_NOT_WRITABLE({
      subject: "--state-dir",
      value: stateDir,
      reason: `can't hold the development CA (${code})`,
      remedy,
      cause,
    });
  }
}

/** A certificate is renewed while a third of its life is left. */
const isDue = (certificate: X509Certificate, now: Date): boolean =>
  now >= renewalTime(certificate.validFromDate, certificate.validToDate);

function renewalTime(from: Date, to: Date): Date {
  return new Date(to.getTime() - (to.getTime() - from.getTime()) / 3);
}

async function authority(directory: string, names: readonly string[], now: Date): Promise<{ ca: PemPair } & Origin> {
  const path = join(directory, "ca-with-key.pem");
  const known = await readIfPresent(path);
  const flaw = known === undefined ? undefined : flawOf(known, names, now);
  if (known !== undefined && flaw === undefined) return { ca: known, made: false };

  const fresh = await makeDevelopmentCa(names, now);
  if (known !== undefined) await replaceFile(path, fresh, 0o600);
  else if (!(await createFileOnce(path, fresh, 0o600))) return authority(directory, names, now); // another was first
  return { ca: fresh, made: true, flaw };
}

/** Why a CA can't be used any longer, in words that follow "the one before". */
function flawOf(ca: PemPair, names: readonly string[], now: Date): string | undefined {
  const certificate = parsePair(ca);
  if (certificate === undefined) return "isn't a certificate with its key";
  if (isDue(certificate, now)) return `expires on ${certificate.validToDate.toISOString().slice(0, 10)}`;
  const name = names.find((one) => !mayIssueFor(ca, one));
  return name === undefined ? undefined : `may not vouch for ${name}`;
}

async function serverLeaf(directory: string, ca: PemPair, names: readonly string[], now: Date): Promise<PemPair> {
  const path = join(directory, "leaf-with-key.pem");
  const known = await readIfPresent(path);
  if (known !== undefined && mayServe(known, ca, names, now)) return known;
  const fresh = await issueLeaf(ca, names, now);
  await replaceFile(path, fresh, 0o600);
  return fresh;
}

function mayServe(leaf: PemPair, ca: PemPair, names: readonly string[], now: Date): boolean {
  const certificate = parsePair(leaf);
  const issuer = parsePair(ca);
  if (certificate === undefined || issuer === undefined || isDue(certificate, now)) return false;
  return certificate.verify(issuer.publicKey) && sameNames(namesOf(leaf), names);
}

function sameNames(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((name, index) => name === other[index]);
}

async function describe(
  directory: string,
  ca: PemPair,
  leaf: PemPair,
  origin: Origin,
): Promise<DevelopmentCertificate> {
  const path = join(directory, "ca.pem");
  if ((await readIfPresent(path)) !== certificateOf(ca)) await replaceFile(path, certificateOf(ca), 0o644);
  const source = { subject: "--state-dir", value: directory };
  const pair = checkCertificatePair(certificateOf(leaf), keyOf(leaf), source, source);
  const fingerprint = parsePair(ca)?.fingerprint256 ?? "";
  return { pair, ca: { path, fingerprint, ...origin } };
}
