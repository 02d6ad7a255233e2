import { constants } from "node:crypto";
import { createSecureContext, type SecureContextOptions } from "node:tls";

/** Mozilla's names for what is spoken. */
export const TLS_POLICIES = ["intermediate", "modern"] as const;
export type TlsPolicy = (typeof TLS_POLICIES)[number];

/**
 * Mozilla's configurations (Server Side TLS, version 5.7). Modern is TLS 1.3 alone; intermediate comes without its two DHE
 * suites: every client that it names knows ECDHE. The hybrid post-quantum group comes first where this OpenSSL (3.5 or
 * later) has it.
 */
export function tlsSettings(policy: TlsPolicy): SecureContextOptions {
  return {
    minVersion: policy === "modern" ? "TLSv1.3" : "TLSv1.2",
    ciphers: (policy === "modern" ? TLS_1_3 : [...TLS_1_3, ...TLS_1_2]).join(":"),
    honorCipherOrder: false,
    // TLS 1.2 lets a client ask for handshakes again and again, which costs the server more than the client.
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
    ecdhCurve: isKnown(HYBRID) ? `${HYBRID}:${CURVES}` : CURVES,
  };
}

const TLS_1_3 = ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"];
const TLS_1_2 = [
  "ECDHE-ECDSA-AES128-GCM-SHA256",
  "ECDHE-RSA-AES128-GCM-SHA256",
  "ECDHE-ECDSA-AES256-GCM-SHA384",
  "ECDHE-RSA-AES256-GCM-SHA384",
  "ECDHE-ECDSA-CHACHA20-POLY1305",
  "ECDHE-RSA-CHACHA20-POLY1305",
];
const HYBRID = "X25519MLKEM768";
const CURVES = "X25519:prime256v1:secp384r1";

function isKnown(curve: string): boolean {
  try {
    createSecureContext({ ecdhCurve: curve });
    return true;
  } catch {
    return false;
  }
}
