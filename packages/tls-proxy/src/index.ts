export { type CertificatePair, loadCertificatePair } from "./certificates/certificate.ts";
export type { Engine, UpstreamObserver } from "./http-proxy/engine.ts";
export { errors as tlsProxyErrors } from "./errors.ts";
export { tlsProxy } from "./sidecar.ts";
export type { UpstreamRequest } from "./http-proxy/upstream-request.ts";
