import type { TLSSocket } from "node:tls";
import { subjectNames } from "../certificates/subject-names.ts";
import type { Arrival } from "../front/arrivals.ts";
import type { ProxyHeaderTls } from "../proxy-protocol/header.ts";
import { writeProxyHeader } from "../proxy-protocol/write-header.ts";

/** The PROXY header that tells the app who its client is. Version 2 also says what TLS found out. */
export function upstreamHeader(version: "v1" | "v2", socket: TLSSocket, { client, local }: Arrival): Buffer {
  const { servername, alpnProtocol } = socket;
  return writeProxyHeader(version, {
    ...(client && { source: client }),
    ...(local && { destination: local }),
    ...(typeof servername === "string" && servername !== "" && { authority: servername }),
    ...(typeof alpnProtocol === "string" && { alpn: alpnProtocol }),
    tls: tlsOf(socket),
  });
}

function tlsOf(socket: TLSSocket): ProxyHeaderTls {
  const version = socket.getProtocol() ?? "unknown";
  const cipher = socket.getCipher().standardName;
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) return { version, cipher };
  const [commonName] = subjectNames(certificate, "CN");
  return {
    version,
    cipher,
    client: { verified: socket.authorized, ...(commonName !== undefined && { commonName }) },
  };
}
