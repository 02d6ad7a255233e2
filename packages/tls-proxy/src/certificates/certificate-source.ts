import type { Logger } from "@pillion/kit";
import { type Candidate, candidateOf } from "./candidate.ts";
import { findCandidates } from "./certificate-directory.ts";

export interface CertificateFiles {
  /** PEM files; each belongs to the key in the same place. */
  readonly cert: readonly string[];
  readonly key: readonly string[];
  readonly certDir?: string | undefined;
  readonly stateDir: string;
  readonly hostName: readonly string[];
}

/** Where certificates come from. */
export interface CertificateSource {
  find(now: Date): Promise<Candidate[]>;
  /** What is to be watched. */
  readonly paths: readonly string[];
}

/** The given certificates, those of the directory, or else a development one. */
export function certificateSource(files: CertificateFiles, log: Logger): CertificateSource {
  const { cert, key, certDir } = files;
  if (cert.length === 0 && certDir === undefined) return developmentSource(files, log);
  const given = cert.map((path, index) => candidateOf(path, key[index] ?? path));
  return {
    paths: [...cert, ...key, certDir ?? []].flat(),
    find: async () => (certDir === undefined ? given : [...given, ...(await findCandidates(certDir))]),
  };
}

function developmentSource({ stateDir, hostName }: CertificateFiles, log: Logger): CertificateSource {
  const find = async (now: Date): Promise<Candidate[]> => [
    {
      id: "development",
      isNamed: true,
      async load(known) {
        // Loaded only where it is needed: the X.509 library is slow to load.
        const { developmentCertificate } = await import("./development-certificate.ts");
        const { pair, ca } = await developmentCertificate(stateDir, hostName, now);
        if (ca.made) {
          const what = ca.flaw === undefined ? "a CA" : `another CA, as the one before ${ca.flaw},`;
          const meaning = `made ${what} for DEVELOPMENT ONLY: no client trusts it until told to, and it vouches for this app's names alone`;
          log.warn({ ca: ca.path, fingerprint: ca.fingerprint }, meaning);
        }
        return pair.fingerprint === known?.fingerprint ? known : pair;
      },
    },
  ];
  return { find, paths: [] };
}
