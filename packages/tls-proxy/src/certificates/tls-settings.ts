import { createSecureContext, type SecureContextOptions } from "node:tls";

/**
 * Mozilla's intermediate configuration (Server Side TLS, version 5.7), without its two DHE suites: every client that it
 * names knows ECDHE. The hybrid post-quantum group comes first where this OpenSSL (3.5 or later) has it.
 */
export function tlsSettings(): SecureContextOptions {
  return {
    minVersion: "TLSv1.2",
    ciphers: CIPHERS,
    honorCipherOrder: false,
    ecdhCurve: isKnown(HYBRID) ? `${HYBRID}:${CURVES}` : CURVES,
  };
}

const CIPHERS = [
  "TLS_AES_128_GCM_SHA256",
  "TLS_AES_256_GCM_SHA384",
  "TLS_CHACHA20_POLY1305_SHA256",
  "ECDHE-ECDSA-AES128-GCM-SHA256",
  "ECDHE-RSA-AES128-GCM-SHA256",
  "ECDHE-ECDSA-AES256-GCM-SHA384",
  "ECDHE-RSA-AES256-GCM-SHA384",
  "ECDHE-ECDSA-CHACHA20-POLY1305",
  "ECDHE-RSA-CHACHA20-POLY1305",
].join(":");
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
