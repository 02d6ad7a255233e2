import type { Logger } from "@pillion/kit";
import { loadCertificatePair } from "./certificate.ts";
import type { CertificateSource } from "./certificate-keeper.ts";

export interface CertificateFiles {
  readonly cert: string | undefined;
  readonly key: string | undefined;
  readonly stateDir: string;
  readonly hostName: readonly string[];
}

/** The given certificate, or else a development one. */
export function certificateSource({ cert, key, stateDir, hostName }: CertificateFiles, log: Logger): CertificateSource {
  if (cert !== undefined && key !== undefined) return { renews: false, load: () => loadCertificatePair(cert, key) };
  return {
    renews: true,
    async load(now) {
      // Loaded only where it is needed: the X.509 library is slow to load.
      const { developmentCertificate } = await import("./development-certificate.ts");
      const { pair, ca } = await developmentCertificate(stateDir, hostName, now);
      if (ca.made) {
        const meaning =
          "made a CA for DEVELOPMENT ONLY: no client trusts it until told to, and it vouches for this app's names alone";
        log.warn({ ca: ca.path, fingerprint: ca.fingerprint }, meaning);
      }
      return pair;
    },
  };
}
