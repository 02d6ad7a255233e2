import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { type ConnectionOptions, type TLSSocket, connect } from "node:tls";
import { promisify } from "node:util";

export const openssl = (words: readonly string[]) => promisify(execFile)("openssl", words);

/** Opens a connection that trusts whatever it meets. */
export async function open(port: number, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = connect({ port, host: "127.0.0.1", rejectUnauthorized: false, ...options });
  await once(socket, "secureConnect");
  return socket.on("error", () => {});
}

/** The names in the certificate that a client gets which asks for `servername`. */
export async function served(port: number, servername?: string, options: ConnectionOptions = {}): Promise<string> {
  const socket = await open(port, { ...(servername !== undefined && { servername }), ...options });
  const names = socket.getPeerX509Certificate()?.subjectAltName ?? "";
  socket.resume().end();
  await once(socket, "close");
  return names.replaceAll("DNS:", "");
}

const GET = "GET / HTTP/1.1\r\nHost: app\r\nConnection: close\r\n\r\n";

/** What `openssl s_client` says, asking for `GET /` on the connection. */
export async function sClient(port: number, servername: string, ...words: string[]): Promise<string> {
  return await converse(port, servername, ["-ign_eof", ...words], GET);
}

/** The same with an input of its own, in which `R` on a line is a command. */
export async function converse(
  port: number,
  servername: string,
  words: readonly string[],
  input: string,
): Promise<string> {
  const asked = ["s_client", "-connect", `127.0.0.1:${port}`, "-servername", servername, ...words];
  const child = spawn("openssl", asked);
  child.stdin.on("error", () => {});
  child.stdin.end(input);
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (text: Buffer) => (said += text.toString()));
  await once(child, "close");
  return said;
}
