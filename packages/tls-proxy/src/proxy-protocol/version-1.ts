import { isIPv4, isIPv6 } from "node:net";
import { canonicalAddress } from "../ip-address.ts";
import { type Endpoint, INCOMPLETE, malformed, type ProxyHeaderReading } from "./header.ts";

/** The text header (proxy-protocol.txt, section 2.1): `PROXY TCP4 192.0.2.1 192.0.2.2 56324 443` and CRLF. */
export function readVersion1(bytes: Buffer): ProxyHeaderReading {
  const start = bytes.subarray(0, MAX_LENGTH).toString("latin1");
  if (!start.startsWith(PREFIX.slice(0, start.length))) return malformed("version 1 doesn't begin with PROXY");
  const lineEnd = start.search(/[\r\n]/);
  if (lineEnd === -1 || lineEnd === start.length - 1) {
    if (start.length === MAX_LENGTH) return malformed(`version 1 has no line end within ${MAX_LENGTH} bytes`);
    return start[lineEnd] === "\n" ? malformed(LINE_END) : INCOMPLETE;
  }
  if (!start.startsWith("\r\n", lineEnd)) return malformed(LINE_END);
  return readLine(start.slice(PREFIX.length, lineEnd), lineEnd + 2);
}

const PREFIX = "PROXY ";
const LINE_END = "version 1 ends with CR and LF, and has neither alone";
/** With the line end: the longest that a sender may write. */
const MAX_LENGTH = 107;

function readLine(line: string, length: number): ProxyHeaderReading {
  // All behind UNKNOWN is to be ignored.
  if (/^UNKNOWN(?: |$)/.test(line)) return { state: "done", length };
  const [family, from = "", to = "", fromPort = "", toPort = "", ...surplus] = line.split(" ");
  if (family !== "TCP4" && family !== "TCP6") return malformed("version 1 names neither TCP4, TCP6 nor UNKNOWN");
  if (surplus.length > 0) return malformed("version 1 has more than four fields behind its family");
  const isAddress = family === "TCP4" ? isIPv4 : isPlainIPv6;
  if (!isAddress(from) || !isAddress(to)) return malformed(`version 1 has an address that is not one of ${family}`);
  if (!isPort(fromPort) || !isPort(toPort)) return malformed("version 1 has a port that is none");
  const endpoint = (address: string, port: string): Endpoint => ({
    address: canonicalAddress(address),
    port: Number(port),
  });
  return { state: "done", length, source: endpoint(from, fromPort), destination: endpoint(to, toPort) };
}

/** Zones are a machine's own and mean nothing to others. */
function isPlainIPv6(text: string): boolean {
  return isIPv6(text) && !text.includes("%");
}

function isPort(text: string): boolean {
  return /^(?:0|[1-9]\d{0,4})$/.test(text) && Number(text) <= 65_535;
}
