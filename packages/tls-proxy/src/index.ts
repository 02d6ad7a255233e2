export { type CertificatePair, loadCertificatePair } from "./certificates/certificate.ts";
export type { Engine, UpstreamObserver } from "./engine.ts";
export { errors as tlsProxyErrors } from "./errors.ts";
export { tlsProxy } from "./sidecar.ts";
export type { UpstreamRequest } from "./upstream-request.ts";
