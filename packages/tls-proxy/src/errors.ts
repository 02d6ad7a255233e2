import { defineErrors } from "@pillion/kit";

/** Everything this package throws. What an app or a client does wrong is an answer, never an error. */
export const errors = defineErrors({
  CERTIFICATE_UNREADABLE: "The certificate file can't be read.",
  CERTIFICATE_UNPARSABLE: "The certificate file holds no PEM certificate, or a damaged one.",
  CERTIFICATE_CHAIN_BROKEN: "A certificate of the chain was not issued by the one behind it.",
  CERTIFICATE_REFUSED: "The certificate's key is too small for OpenSSL, or of a kind that hardly any client knows.",
  CERTIFICATE_KEY_UNREADABLE: "The private key's file can't be read.",
  CERTIFICATE_KEY_UNPARSABLE: "The key file holds no PEM private key, or a damaged one.",
  CERTIFICATE_KEY_ENCRYPTED: "The private key is encrypted with a passphrase.",
  CERTIFICATE_KEY_MISMATCH: "The private key does not belong to the certificate.",
  CERTIFICATE_NOT_VALID: "The certificate has expired, or is not valid yet.",
  CERTIFICATE_DIRECTORY_UNREADABLE: "The directory of certificates can't be read.",
  CERTIFICATE_DIRECTORY_EMPTY: "The directory of certificates holds none.",
  CLIENT_CA_UNREADABLE: "The file with the clients' CAs can't be read.",
  CLIENT_CA_UNUSABLE: "The file with the clients' CAs holds none, or what no client's chain can end at.",
  STATE_DIRECTORY_NOT_WRITABLE: "The state directory can't hold the development CA.",
  APP_IS_ADMIN: "Where the app is said to be, the sidecar's own endpoints for probes and operators answer.",
  ACCESS_LOG_UNWRITABLE: "The access log's file can't be opened.",
  WORKER_ENDED: "A worker ended before it served, or worker after worker did.",
  WORKERS_NOT_STARTABLE: "The program of the workers is not where the package has it.",
  NETWORK_LOST: "Of the network that is shared with the app only loopback is left.",
  CONNECTIONS_CUT_OFF: "Connections of --mode tcp were still at work when the shutdown time-out ended.",
  REQUESTS_CUT_OFF: "Requests were still in flight when the shutdown time-out ended.",
});
