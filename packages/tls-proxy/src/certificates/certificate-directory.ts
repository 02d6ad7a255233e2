import { readdir, stat } from "node:fs/promises";
import { join, parse } from "node:path";
import { messageOf, systemCode } from "@pillion/kit";
import { errors } from "../errors.ts";
import { type Candidate, candidateOf } from "./candidate.ts";

/** What messages call files that were found and not named. */
const OPTIONS = { cert: "--cert-dir", key: "--cert-dir" };

/**
 * The pairs in a directory and in the directories right below it: `tls.crt` and `tls.key` as Kubernetes has them, any
 * other `NAME.crt` or `NAME.pem` with its `NAME.key`, and `fullchain.pem` with `privkey.pem`. The directory's own come
 * first, then by path. A half of a pair, and a
 * directory that can't be read, are candidates that can't be loaded.
 * @throws CERTIFICATE_DIRECTORY_UNREADABLE, CERTIFICATE_DIRECTORY_EMPTY
 */
export async function findCandidates(directory: string): Promise<Candidate[]> {
  const top = await list(directory);
  const found = pairsAmong(directory, top.files);
  for (const name of top.directories) {
    const below = join(directory, name);
    const inIt = await list(below).then(
      ({ files }) => pairsAmong(below, files),
      (error: unknown) => [{ id: below, isNamed: false, load: () => Promise.reject(error) }],
    );
    found.push(...inIt);
  }
  if (found.length > 0) return found;
  throw errors.CERTIFICATE_DIRECTORY_EMPTY({
    subject: "--cert-dir",
    value: directory,
    reason: "holds no certificate with its key",
    remedy: "Put tls.crt and tls.key into it, or NAME.crt and NAME.key, or a directory with them for each certificate",
  });
}

async function list(directory: string): Promise<{ files: string[]; directories: string[] }> {
  try {
    const kinds = { files: [] as string[], directories: [] as string[] };
    for (const name of (await readdir(directory)).toSorted()) {
      if (name.startsWith(".")) continue; // Kubernetes keeps `..data` and its versions beside what they hold
      const entry = await stat(join(directory, name)).catch(() => undefined);
      (entry?.isDirectory() ? kinds.directories : kinds.files).push(name);
    }
    return kinds;
  } catch (cause) {
    throw errors.CERTIFICATE_DIRECTORY_UNREADABLE({
      subject: "--cert-dir",
      value: directory,
      reason: `can't be read (${systemCode(cause) ?? messageOf(cause)})`,
      remedy: "Check the path, and that this user may enter it",
      cause,
    });
  }
}

function pairsAmong(directory: string, files: readonly string[]): Candidate[] {
  const has = (name: string) => files.includes(name);
  const stems = new Set(files.filter((name) => /\.(?:key|crt|pem)$/.test(name)).map((name) => parse(name).name));
  const found: Candidate[] = [];
  for (const stem of stems) {
    const at = (name: string) => join(directory, name);
    if (stem === "fullchain" && has("fullchain.pem") && has("privkey.pem")) {
      found.push(candidateOf(at("fullchain.pem"), at("privkey.pem"), OPTIONS));
      continue;
    }
    const cert = [`${stem}.crt`, `${stem}.pem`].find(has);
    const isCompanion = !has(`${stem}.key`) && COMPANION.test(stem);
    // What is missing is named as unreadable, by the path where it was looked for.
    if (!isCompanion) found.push(candidateOf(at(cert ?? `${stem}.crt`), at(`${stem}.key`), OPTIONS));
  }
  return found;
}

/** What certbot, lego and cert-manager write beside a pair. */
const COMPANION = /(?:^|[._-])(?:ca|chain|issuer|cert|privkey)$/i;
